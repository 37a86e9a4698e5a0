/* What must hold whatever is shown and however big the screen is: no crash, nothing outside the
 * window, no byte of foreign text that a terminal obeys, the incremental screen is the meant one.
 */
#include "fake.h"
#include "vt.h"
#include "src/jsonw.h"
#include "ui/term.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint32_t seed = 7;

static int dice(int n)
{
	seed = seed * 1664525u + 1013904223u;
	return (int)((seed >> 8) % (uint32_t)n);
}

static void show_places(struct app *app, int place)
{
	static const char *const keys[] = {"1", "2", "3", "4", "3]\r", "3]]\r", "3]]]\r", "?",
		"3w]]\r", "3/value >= 5 EUR", "1:health"};
	for (const char *k = keys[place]; *k; k++)
		app_key(app, (unsigned char)*k);
}
#define PLACES 11

static void any_size(void **state)
{
	(void)state;
	struct vt t;
	struct app *app = ta_alloc(sizeof(*app));
	vt_open(&t, 80, 24, false);
	for (int i = 0; i < 400; i++) {
		int w = i < 20 ? 1 + i % 5 : 1 + dice(250), h = i < 20 ? 1 + i / 5 : 1 + dice(80);
		fake_app(app);
		show_places(app, i % PLACES);
		vt_resize(&t, w, h);
		screen_draw(app);
		vt_show(&t);
		app_release(app);
	}
	free(app);
	vt_close(&t);
}

/* Hostile text -------------------------------------------------------------------------------- */

static const char *const hostile[] = {
	"\033[2J\033[31mred\033]0;title\a\033]52;c;QUJD\a",
	"\rover\n\tdown\b\b\b\v\f\016\017",
	"\302\233"
	"31mC1\302\205\302\220",
	"\xe2\x80\xae"
	"rtl\xe2\x80\xac\xe2\x81\xa6\xe2\x80\x8f\xe2\x80\x8e",
	"zero\xe2\x80\x8b\xe2\x80\x8dwidth\xef\xbb\xbf\xf3\xa0\x81\x81tag\xee\x80\x80",
	"bad\xff\xfe\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80",
	"a\xcc\x80\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86marks",
	"\xe6\x97\xa5\xe6\x9c\xac\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
	"%n%s%s%n \\ \" ' ` $(reboot) --",
};

static void poison(struct app *app, const char *bad)
{
	struct data *d = &app->data;
	for (size_t i = 0; i < d->nstores; i++)
		d->stores[i].name = d->stores[i].domain = bad;
	for (size_t i = 0; i < d->npixels; i++)
		d->pixels[i].name = d->pixels[i].reason = d->pixels[i].detail = bad;
	for (size_t i = 0; i < d->nbeats; i++)
		d->beats[i].role = d->beats[i].detail = bad;
	for (size_t i = 0; i < d->nfaults; i++)
		d->faults[i].code = d->faults[i].message = bad;
	for (size_t i = 0; i < d->nlast; i++)
		d->last[i].bad_class = d->last[i].bad_error = bad;
	for (int i = 0; i < app->feed.n; i++) {
		struct view_row *v = &app->feed.rows[i].v;
		v->label = v->order_id = v->code = v->message = bad;
	}
	struct view_event *e = &app->inspect.ev;
	e->wire_id = e->order_id = e->label = e->doc = e->topic = e->remote = e->webhook_id = bad;
	e->ndoc = strlen(bad);
	fake_routes[0].code = fake_routes[0].message = bad;
	fake_verdicts[0].code = fake_verdicts[0].message = bad;
	struct view_attempt *at = &fake_attempts[0];
	at->class = at->error = at->request = at->response = bad;
	at->nrequest = at->nresponse = strlen(bad);
	static struct buf own = {.cap = 1 << 16};
	buf_clear(&own);
	buf_adds(&own, "{\"event_name\":\"checkout\",");
	json_quote(&own, bad, strlen(bad));
	buf_adds(&own, ":1}");
	at->own = buf_str(&own);
	at->nown = own.len;
	at->settings = bad;
	for (size_t i = 0; i < TA_COUNT(fake_rules); i++)
		fake_rules[i].name = bad;
	snprintf(app->place, sizeof(app->place), "%s", bad);
	snprintf(app->toast, sizeof(app->toast), "%s", bad);
	app->toast_until_us = app->mono_us + 1;
}

/* Sequences that the library may send for xterm-256color; everything else is an intruder. */
static size_t allowed(const char *p, size_t n)
{
	if (n >= 3 && p[1] == '(' && (p[2] == 'B' || p[2] == '0'))
		return 3;
	if (n >= 2 && (p[1] == '7' || p[1] == '8' || p[1] == '=' || p[1] == '>' || p[1] == 'M'))
		return 2;
	if (n < 3 || p[1] != '[')
		return 0;
	size_t i = 2;
	while (i < n && strchr("0123456789;:?!", p[i]))
		i++;
	return i < n && strchr("@ABCDGHJKLMPSTXZbdfhlmrt", p[i]) && p[i] ? i + 1 : 0;
}

static bool unseen(uint32_t cp)
{
	return (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200b && cp <= 0x200f) ||
	       (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
	       (cp >= 0xe000 && cp <= 0xf8ff) || cp >= 0xe0000;
}

static void check_bytes(const struct buf *raw)
{
	for (size_t i = 0; i < raw->len;) {
		uint32_t cp;
		size_t k = utf8_decode(raw->p + i, raw->len - i, &cp);
		assert_true(k > 0);
		if (cp == 27) {
			k = allowed(raw->p + i, raw->len - i);
			if (!k)
				print_error("byte %zu: %.20s\n", i, raw->p + i + 1);
			assert_true(k > 0);
		} else {
			assert_true(cp >= 32 || cp == '\r' || cp == '\n' || cp == '\b');
			assert_false(unseen(cp));
		}
		i += k;
	}
}

static void nothing_foreign_is_obeyed(void **state)
{
	(void)state;
	struct vt t;
	struct app *app = ta_alloc(sizeof(*app));
	struct view_store stores[TA_COUNT(fake_stores)];
	struct view_pixel pixels[TA_COUNT(fake_pixels)];
	struct view_beat beats[TA_COUNT(fake_beats)];
	struct view_fault faults[TA_COUNT(fake_faults)];
	struct view_last last[TA_COUNT(fake_last)];
	struct view_attempt attempts[TA_COUNT(fake_attempts)];
	struct view_verdict verdicts[TA_COUNT(fake_verdicts)];
	memcpy(stores, fake_stores, sizeof(stores));
	memcpy(pixels, fake_pixels, sizeof(pixels));
	memcpy(beats, fake_beats, sizeof(beats));
	memcpy(faults, fake_faults, sizeof(faults));
	memcpy(last, fake_last, sizeof(last));
	memcpy(attempts, fake_attempts, sizeof(attempts));
	memcpy(verdicts, fake_verdicts, sizeof(verdicts));
	for (int ascii = 0; ascii < 2; ascii++) {
		vt_open(&t, 100, 30, ascii);
		for (size_t i = 0; i < TA_COUNT(hostile); i++)
			for (int place = 0; place < PLACES; place++) {
				fake_app(app);
				poison(app, hostile[i]);
				show_places(app, place);
				screen_draw(app);
				vt_show(&t);
				app_release(app);
			}
		check_bytes(&t.raw);
		vt_close(&t);
	}
	memcpy(fake_stores, stores, sizeof(stores));
	memcpy(fake_pixels, pixels, sizeof(pixels));
	memcpy(fake_beats, beats, sizeof(beats));
	memcpy(fake_faults, faults, sizeof(faults));
	memcpy(fake_last, last, sizeof(last));
	memcpy(fake_attempts, attempts, sizeof(attempts));
	memcpy(fake_verdicts, verdicts, sizeof(verdicts));
	free(app);
}

/* Increments -------------------------------------------------------------------------------------
 */

static void assert_same_screen(const struct vt *t)
{
	for (int y = 0; y < t->h; y++)
		for (int x = 0; x < t->w; x++) {
			cchar_t c;
			wchar_t w[CCHARW_MAX + 1] = {0};
			attr_t attrs;
			short pair;
			VTermScreenCell seen = vt_cell(t, y, x);
			mvin_wch(y, x, &c);
			getcchar(&c, w, &attrs, &pair, NULL);
			uint32_t is = seen.chars[0] ? seen.chars[0] : ' ';
			if (is != (uint32_t)w[0] && is != (uint32_t)-1) {
				print_error("row %d column %d: %x meant, %x seen\n", y, x,
					(unsigned)w[0], (unsigned)is);
				fail();
			}
			if (is != (uint32_t)-1)
				assert_int_equal(seen.attrs.reverse != 0, (attrs & A_REVERSE) != 0);
		}
}

static void increments_add_up(void **state)
{
	(void)state;
	static const char keys[] = "jjjkk3124]][z\033?\033G g}{wZZFhlK-+//";
	struct vt t;
	struct app *app = ta_alloc(sizeof(*app));
	vt_open(&t, 80, 24, false);
	fake_app(app);
	for (int i = 0; i < 600; i++) {
		app_key(app, (unsigned char)keys[dice((int)sizeof(keys) - 1)]);
		if (app->prompt.active && dice(3) == 0)
			app_key(app, 27);
		app->todo = 0;
		app->data.now_us += dice(3) * US_PER_S;
		app->mono_us += dice(3) * US_PER_S;
		screen_draw(app);
		vt_show(&t);
		if (i % 20 == 0)
			assert_same_screen(&t);
	}
	assert_same_screen(&t);
	app_release(app);
	free(app);
	vt_close(&t);
}

/* Any key anywhere, also such that no keyboard has. */
static void any_keys(void **state)
{
	(void)state;
	struct vt t;
	struct app *app = ta_alloc(sizeof(*app));
	vt_open(&t, 90, 30, false);
	fake_app(app);
	for (int i = 0; i < 4000; i++) {
		int k = dice(10);
		app_key(app, k < 7    ? dice(128)
			     : k == 7 ? TERM_KEY(256 + dice(300))
			     : k == 8 ? dice(0x110000)
				      : TERM_KEY(TERM_PASTE_START + dice(2)));
		app->mono_us += US_PER_S / 3;
		app->todo = 0;
		if (i % 10 == 0) {
			screen_draw(app);
			vt_show(&t);
		}
	}
	assert_same_screen(&t);
	app_release(app);
	free(app);
	vt_close(&t);
}

static void a_quiet_second_is_cheap(void **state)
{
	(void)state;
	struct vt t;
	struct app *app = ta_alloc(sizeof(*app));
	vt_open(&t, 80, 24, false);
	fake_app(app);
	show_places(app, 2);
	screen_draw(app);
	vt_show(&t);
	screen_draw(app);
	assert_in_range(vt_show(&t), 0, 60);
	app->data.now_us += US_PER_S; /* retry 12s becomes retry 11s */
	screen_draw(app);
	assert_in_range(vt_show(&t), 1, 600);
	app_release(app);
	free(app);
	vt_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_size),
		cmocka_unit_test(nothing_foreign_is_obeyed),
		cmocka_unit_test(increments_add_up),
		cmocka_unit_test(any_keys),
		cmocka_unit_test(a_quiet_second_is_cheap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
