#include "src/cause_look.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/cause_hash.h"
#include "src/map.h"
#include "src/name_map.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_ 40 /* letters of an event's name that is compared */
#define PAIR_US   (INT64_C(10) * 60 * 1000000)
#define LATE_MIN  20 /* events on each side of a comparison */

/* The pixel gets it or would, were everything well. */
static bool is_meant(const struct cause_doc *d)
{
	return d->ev && d->disposition != DISP_FILTERED && d->disposition != DISP_NO_CONSENT &&
	       d->disposition != DISP_DUPLICATE && d->disposition >= 0;
}

void cause_hit(struct cause_book *b, struct cause_doc *d, enum cause c, const char *detail)
{
	if (c >= CAUSES || (d->hit >> c & 1))
		return;
	d->hit |= UINT64_C(1) << c;
	cause_add(b, c, d->event_id, d->at_us, detail);
}

/* Names ---------------------------------------------------------------------------------------- */

static const char *const names[] = {
#define EVENT(name, word) word,
#include "src/events.def"
#undef EVENT
#define PEVENT(platform, name) name,
#include "src/platform_events.def"
#undef PEVENT
};

/* Letters and digits in lower case: what is left when spelling is a matter of taste. */
static size_t fold(const char *name, char out[NAME_MAX_ + 1])
{
	size_t n = 0;
	for (; *name && n < NAME_MAX_; name++)
		if (isalnum((unsigned char)*name))
			out[n++] = (char)tolower((unsigned char)*name);
	out[n] = '\0';
	return n;
}

/* Letters to insert, delete, replace or swap with the next (Damerau 1964, each place once). */
static int distance(const char *a, size_t n, const char *b, size_t m)
{
	int rows[3][NAME_MAX_ + 1], *before = rows[0], *last = rows[1], *now = rows[2];
	for (size_t j = 0; j <= m; j++)
		last[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		now[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int change = last[j - 1] + (a[i - 1] != b[j - 1]);
			now[j] = TA_MIN(TA_MIN(last[j] + 1, now[j - 1] + 1), change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = TA_MIN(now[j], before[j - 2] + 1);
		}
		int *t = before;
		before = last;
		last = now;
		now = t;
	}
	return last[m];
}

const char *cause_nearest_event(const char *name)
{
	char mine[NAME_MAX_ + 1], theirs[NAME_MAX_ + 1];
	size_t n = fold(name, mine);
	const char *best = NULL;
	int least = n >= 6 ? 3 : n >= 4 ? 2 : 1; /* nearer than that */
	for (size_t i = 0; i < TA_COUNT(names); i++) {
		if (strcmp(names[i], name) == 0)
			return NULL;
		size_t m = fold(names[i], theirs);
		int d = distance(mine, n, theirs, m);
		if (d < least) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

static void look_name(struct cause_book *b, const struct cause_sample *s, struct cause_doc *d)
{
	char text[CAUSE_DETAIL];
	const char *name = d->ev->custom_name;
	if (d->name != EV_CUSTOM || !name || event_map_has(s->names, EV_CUSTOM, name))
		return;
	const char *meant = cause_nearest_event(name);
	if (!meant)
		return;
	snprintf(text, sizeof(text), "\"%.40s\" was probably meant to be %s", name, meant);
	cause_hit(b, d, CAUSE_MISSPELT_EVENT, text);
}

/* People --------------------------------------------------------------------------------------- */

struct given {
	const char *field, *value;
};

/* What the shop said of a person: as it was posted where that is at hand (we correct upper-case
 * hashes on the way in), else as the document has it. */
static size_t given(const struct cause_doc *d, struct given out[ID_COUNT])
{
	const struct event_user *u = &d->ev->user;
	const struct given doc[] = {{"email", u->email}, {"phone", u->phone},
		{"external_id", u->external_id}, {"first_name", u->first_name},
		{"last_name", u->last_name}, {"city", u->city}, {"state", u->state},
		{"zip", u->zip}, {"country", u->country}, {"birthdate", u->birthdate},
		{"gender", u->gender}};
	const struct jv *raw = d->ev->source == SOURCE_SHOPIFY ? NULL : jv_object(d->raw, "user");
	size_t n = 0;
	for (size_t i = 0; i < TA_COUNT(doc); i++) {
		const char *v = jv_str(raw, doc[i].field);
		out[n] = doc[i];
		if (v && identity_is_hash(v))
			out[n].value = v;
		n += out[n].value != NULL;
	}
	return n;
}

static bool any_hash(const struct cause_sample *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct given g[ID_COUNT];
		size_t n = s->docs[i].ev ? given(&s->docs[i], g) : 0;
		for (size_t k = 0; k < n; k++)
			if (identity_is_hash(g[k].value))
				return true;
	}
	return false;
}

static void look_hashes_of(struct cause_book *b, struct cause_doc *d, const struct hash_book *h)
{
	struct given g[ID_COUNT];
	size_t n = given(d, g);
	for (size_t k = 0; k < n; k++) {
		const char *how;
		char text[CAUSE_DETAIL];
		if (!identity_is_hash(g[k].value))
			continue;
		enum cause c = hash_book_judge(h, g[k].value, &how);
		snprintf(text, sizeof(text), "user.%s is %s", g[k].field, how);
		cause_hit(b, d, c, text);
	}
}

static void look_hashes(struct cause_book *b, const struct cause_sample *s, struct arena *a)
{
	if (!any_hash(s))
		return;
	struct hash_book *h = hash_book_new(a, s->platform);
	for (size_t i = 0; i < s->n; i++)
		if (s->docs[i].ev)
			hash_book_learn(h, &s->docs[i].ev->user);
	for (size_t i = 0; i < s->n; i++)
		if (is_meant(&s->docs[i]))
			look_hashes_of(b, &s->docs[i], h);
}

static const char *posted_phone(const struct cause_doc *d)
{
	static const char *const places[] = {"customer", "billing_address", "shipping_address"};
	if (d->ev->source != SOURCE_SHOPIFY)
		return jv_text(jv_object(d->raw, "user"), "phone");
	const char *phone = jv_str(d->raw, "phone");
	for (size_t i = 0; !phone && i < TA_COUNT(places); i++)
		phone = jv_str(jv_object(d->raw, places[i]), "phone");
	return phone;
}

/* A number was given, and what it was cannot be told. Its digits stay covered. */
static void look_phone(struct cause_book *b, struct cause_doc *d)
{
	char text[CAUSE_DETAIL], shape[32];
	size_t n = 0;
	const char *phone = d->ev->user.phone ? NULL : posted_phone(d);
	if (!phone || !*phone)
		return;
	for (; phone[n] && n + 1 < sizeof(shape); n++)
		shape[n] = isdigit((unsigned char)phone[n])   ? '9'
			   : isalpha((unsigned char)phone[n]) ? 'x'
							      : phone[n];
	shape[n] = '\0';
	snprintf(text, sizeof(text),
		"\"%s\" (digits covered) has no calling code that we could know%s", shape,
		d->ev->user.country ? "" : ", and no country comes with it");
	cause_hit(b, d, CAUSE_PHONE_FORM, text);
}

/* Clicks, times, money, orders ----------------------------------------------------------------- */

static bool has_letters(const char *s, bool upper)
{
	for (; *s; s++)
		if (upper ? isupper((unsigned char)*s) : islower((unsigned char)*s))
			return true;
	return false;
}

/* A well-formed fbc may still carry a fbclid that was lower-cased or cut: real ones have some sixty
 * characters of both cases. */
static const char *wrong_fbc(const struct event *ev)
{
	const char *p = ev->click.fbc;
	for (int i = 0; p && i < 3; i++) {
		p = strchr(p, '.');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return NULL;
	size_t n = strcspn(p, ".");
	if (n >= 16 && has_letters(p, false) && !has_letters(p, true))
		return "the fbclid in fbc is in lower case";
	if (n < 16 && (strncmp(p, "IwA", 3) == 0 || strncmp(p, "IwY", 3) == 0))
		return "the fbclid in fbc is cut off";
	return NULL;
}

static void look_warnings(struct cause_book *b, const struct cause_sample *s, struct cause_doc *d)
{
	for (size_t i = 0; i < d->ev->nwarnings; i++) {
		const char *w = d->ev->warnings[i];
		if (s->platform == PLATFORM_META && strncmp(w, "fbc left out", 12) == 0)
			cause_hit(b, d, CAUSE_BAD_CLICK_ID, w);
		else if (strncmp(w, "event_time set to", 17) == 0)
			cause_hit(b, d, CAUSE_CLOCK_AHEAD, w);
		else if (strncmp(w, "value left out", 14) == 0)
			cause_hit(b, d, CAUSE_NO_VALUE, w);
	}
	if (s->platform == PLATFORM_META && wrong_fbc(d->ev))
		cause_hit(b, d, CAUSE_BAD_CLICK_ID, wrong_fbc(d->ev));
}

/* Sent although it was not made on the web. */
static void look_order(struct cause_book *b, const struct cause_sample *s, struct cause_doc *d)
{
	const char *from = d->ev->order.source_name;
	if (!from || d->name != EV_PURCHASE)
		return;
	if (s->send_pos && strcmp(from, "pos") == 0)
		cause_hit(b, d, CAUSE_REAL_TEST, "orders from the till are sent (send_pos)");
	if (s->send_draft && strcmp(from, "shopify_draft_order") == 0)
		cause_hit(b, d, CAUSE_REAL_TEST, "draft orders are sent (send_draft)");
}

/* Browser and server --------------------------------------------------------------------------- */

/* What two reports of one event have in common besides an id. */
static const char *pair_key(struct arena *a, const struct cause_doc *d)
{
	const struct event *ev = d->ev;
	if (ev->order.id && d->name == EV_PURCHASE)
		return arena_fmt(a, "order/%s", ev->order.id);
	const char *who = ev->user.email ? ev->user.email : ev->user.external_id;
	const char *what = ev->nitems ? ev->items[0].id : ev->search;
	return who && what ? arena_fmt(a, "%s/%s/%s", event_word((int)d->name), who, what) : NULL;
}

static bool is_browser(const struct cause_doc *d)
{
	return d->ev->source == SOURCE_BROWSER;
}

/* The id under which the browser's own pixel told it, and the one we send. */
static bool ids_differ(const struct cause_doc *x, const struct cause_doc *y)
{
	const struct cause_doc *page = is_browser(x) ? x : y, *server = is_browser(x) ? y : x;
	const char *id = page->ev->event_id;
	if (is_browser(x) == is_browser(y) || !id || page->ev->name != server->ev->name)
		return false;
	int64_t apart = x->at_us > y->at_us ? x->at_us - y->at_us : y->at_us - x->at_us;
	return (x->ev->order.id || apart < PAIR_US) && strcmp(id, server->wire_id) != 0 &&
	       (!server->ev->event_id || strcmp(id, server->ev->event_id) != 0);
}

static void look_pairs(struct cause_book *b, const struct cause_sample *s, struct arena *a)
{
	struct map last = MAP_INIT(a);
	char text[CAUSE_DETAIL];
	for (size_t i = 0; i < s->n; i++) {
		struct cause_doc *d = &s->docs[i];
		const char *key = d->ev ? pair_key(a, d) : NULL;
		if (!key)
			continue;
		struct cause_doc *other = map_get(&last, key, strlen(key));
		if (other && ids_differ(d, other)) {
			const struct cause_doc *page = is_browser(d) ? d : other;
			const struct cause_doc *server = is_browser(d) ? other : d;
			snprintf(text, sizeof(text), "%s: the browser says %.40s, the server %.40s",
				event_word((int)d->name), page->ev->event_id, server->wire_id);
			cause_hit(b, is_browser(d) ? other : d, CAUSE_NO_PAIR, text);
		}
		map_put(&last, key, strlen(key), d);
	}
}

/* Coverage ------------------------------------------------------------------------------------- */

/* Click ids are none of them: they come and go with the campaigns. */
enum { KEY_EMAIL, KEY_PHONE, KEY_EXTERNAL_ID, KEY_BROWSER, KEYS };
static const char *const key_words[KEYS] = {
	"an e-mail", "a phone", "a customer id", "address and user agent"};

static bool has_key(const struct event *ev, int key)
{
	switch (key) {
	case KEY_EMAIL:
		return ev->user.email != NULL;
	case KEY_PHONE:
		return ev->user.phone != NULL;
	case KEY_EXTERNAL_ID:
		return ev->user.external_id != NULL;
	default:
		return ev->user.ip && ev->user.user_agent;
	}
}

struct coverage {
	int64_t n[2], has[2][KEYS]; /* [0] the newer third, [1] before */
};

/* Is what is missing in the newer part more than chance (z above 4, at least 15 points)? */
static bool dropped(const struct coverage *c, int key, double *share)
{
	if (c->n[0] < LATE_MIN || c->n[1] < LATE_MIN)
		return false;
	double new_ = (double)c->has[0][key] / (double)c->n[0],
	       old = (double)c->has[1][key] / (double)c->n[1];
	double all = (double)(c->has[0][key] + c->has[1][key]) / (double)(c->n[0] + c->n[1]);
	double se = sqrt(all * (1 - all) * (1 / (double)c->n[0] + 1 / (double)c->n[1]));
	*share = old - new_;
	return *share >= 0.15 && *share > 4 * se;
}

static struct coverage cover(const struct cause_sample *s, enum event_name name)
{
	struct coverage c = {0};
	size_t all = 0, at = 0;
	for (size_t i = 0; i < s->n; i++)
		all += is_meant(&s->docs[i]) && s->docs[i].name == name;
	for (size_t i = 0; i < s->n; i++) {
		const struct cause_doc *d = &s->docs[i];
		if (!is_meant(d) || d->name != name)
			continue;
		int part = at++ >= all / 3;
		c.n[part]++;
		for (int k = 0; k < KEYS; k++)
			c.has[part][k] += has_key(d->ev, k);
	}
	return c;
}

/* The newer third of a name's events against those before: the key that fell most. */
static void look_coverage_of(
	struct cause_book *b, const struct cause_sample *s, enum event_name name)
{
	struct coverage c = cover(s, name);
	int worst = -1;
	double most = 0, share;
	for (int k = 0; k < KEYS; k++)
		if (dropped(&c, k, &share) && share > most) {
			worst = k;
			most = share;
		}
	if (worst < 0)
		return;
	size_t left = (size_t)c.n[0];
	char text[CAUSE_DETAIL];
	snprintf(text, sizeof(text), "%s with %s: %lld %% of the last %lld, before %lld %%",
		event_word((int)name), key_words[worst],
		(long long)(100 * c.has[0][worst] / c.n[0]), (long long)c.n[0],
		(long long)(100 * c.has[1][worst] / c.n[1]));
	for (size_t i = 0; i < s->n && left; i++) {
		struct cause_doc *d = &s->docs[i];
		if (!is_meant(d) || d->name != name)
			continue;
		left--;
		if (!has_key(d->ev, worst))
			cause_hit(b, d, CAUSE_COVERAGE_DROP, text);
	}
}

/* A rule that takes all of a name ------------------------------------------------------------- */

/* A rule may well drop a few events on purpose; one that leaves nothing of a name is told, measured
 * by that name's events. That is bad when purchases are among them or nothing else is left; a pixel
 * that shall have purchases only is what somebody wanted. */
static void look_rules(struct cause_book *b, const struct cause_sample *s)
{
	int64_t routed[EV_COUNT] = {0}, ruled[EV_COUNT] = {0}, all = 0, gone = 0, left = 0;
	bool purchases = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct cause_doc *d = &s->docs[i];
		bool hit = d->hit >> CAUSE_RULE_DROPS & 1;
		if (d->disposition < 0)
			continue;
		routed[d->name]++;
		ruled[d->name] += hit;
		left += !hit;
	}
	for (int name = 0; name < EV_COUNT; name++)
		if (ruled[name] >= 3 && ruled[name] * 10 >= routed[name] * 9) {
			all += routed[name];
			gone += ruled[name];
			purchases |= name == EV_PURCHASE;
		}
	if (!all)
		return;
	b->seen[CAUSE_RULE_DROPS].k = gone;
	b->seen[CAUSE_RULE_DROPS].n = all;
	b->seen[CAUSE_RULE_DROPS].meant = !purchases && left > 0;
}

void cause_look(struct cause_book *b, const struct cause_sample *s, struct arena *a)
{
	for (size_t i = 0; i < s->n; i++) {
		struct cause_doc *d = &s->docs[i];
		if (!d->ev)
			continue;
		if (d->disposition != DISP_DUPLICATE && d->disposition >= 0)
			look_name(b, s, d);
		if (!is_meant(d))
			continue;
		look_warnings(b, s, d);
		look_phone(b, d);
		look_order(b, s, d);
	}
	look_hashes(b, s, a);
	look_pairs(b, s, a);
	for (int name = 0; name < EV_COUNT; name++)
		look_coverage_of(b, s, (enum event_name)name);
	look_rules(b, s);
}
