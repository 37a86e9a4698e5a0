#include "ui/inspect.h"

#include "src/buf.h"
#include "src/event.h"
#include "src/provenance.h"
#include "src/clock.h"
#include "ui/format.h"
#include "ui/states.h"
#include "ui/hit.h"

#include <stdio.h>
#include <string.h>

void inspect_release(struct inspect *in)
{
	arena_release(&in->mem.a[0]);
	arena_release(&in->mem.a[1]);
	arena_release(&in->text_mem);
	textview_free(&in->text);
	*in = (struct inspect){0};
}

bool inspect_select(struct inspect *in, const struct view_row *v)
{
	if (!v)
		return false;
	int64_t key = v->state * INT64_C(1000003) + v->tries * 1009 + v->run * 97 + v->done_us;
	if (in->pixel_id != v->pixel_id) {
		in->pixel_id = v->pixel_id;
		in->dirty = true;
	}
	if (in->asked == v->id && in->state_key == key)
		return false;
	in->asked = v->id;
	in->state_key = key;
	return true;
}

void inspect_pin(struct inspect *in, int64_t event_id, int32_t pixel_id)
{
	in->pin = (struct view_row){.id = event_id, .pixel_id = pixel_id};
	in->pinned = in->zoomed = in->focused = true;
}

void inspect_request_tab(struct inspect *in, int step)
{
	in->tab = (enum inspect_tab)(((int)in->tab + step + TAB_COUNT) % TAB_COUNT);
}

/* Building ----------------------------------------------------------------------------------------
 */

struct build {
	struct inspect *in;
	const struct data *d;
	struct arena *a;
};

static void add(struct build *b, enum style st, const char *label, const char *text)
{
	textview_add(&b->in->text, st, label, text);
}

static const char *pixel_name(const struct build *b, int32_t id)
{
	const struct view_pixel *px = data_pixel(b->d, id);
	return px ? arena_fmt(b->a, "%s (%s)", px->name, platform_word(px->platform))
		  : arena_fmt(b->a, "pixel %d", id);
}

static const char *clock_text(const struct build *b, int64_t us)
{
	char t[16];
	format_time(us, b->d->now_us, t);
	return arena_strdup(b->a, t);
}

static void what(struct build *b)
{
	const struct view_event *e = &b->in->ev;
	const struct view_store *st = data_store(b->d, e->store_id);
	char money[48] = "";
	const char *topic = strcmp(e->topic, event_word(e->name)) != 0 ? e->topic : "";
	if (*e->currency)
		format_money(e->amount, e->currency, MONEY_FULL, money);
	add(b, ST_TEXT, "what",
		arena_fmt(b->a, "%s%s%s%s%s%s, %s, from %s%s%s", event_word(e->name),
			*e->label ? " " : "", e->label, *money ? ", " : "", money,
			e->test ? ", TEST" : "", st ? st->name : "?", source_word(e->source),
			*topic ? " " : "", topic));
	add(b, ST_TEXT, "when",
		arena_fmt(b->a, "happened %s, received %s", clock_text(b, e->at_us),
			clock_text(b, e->received_us)));
}

static void outcome(struct build *b, const struct view_row *v)
{
	struct state_look look;
	char t[16] = "";
	state_look(b->d, v, &look);
	if (v->done_us)
		format_ms((v->done_us - v->received_us) / 1000, t);
	const char *mark = v->pixel_id == b->in->pixel_id ? theme_glyph(GL_SELECT) : " ";
	add(b, look.style == ST_OK ? ST_TEXT : look.style, "pixel",
		arena_fmt(b->a, "%s%s  %s %s%s%s%s%s", mark, pixel_name(b, v->pixel_id),
			theme_glyph(look.glyph), look.word, v->run > 1 ? ", replayed" : "",
			*t ? " after " : "", t,
			v->reason ? arena_fmt(b->a, "  (%s)", reason_text(v->reason)) : ""));
	const struct view_pixel *px = data_pixel(b->d, v->pixel_id);
	if (px && px->held && v->state == DISP_QUEUED)
		add(b, ST_WARN, "",
			arena_fmt(b->a, "          waits for the pixel: %s%s%s", px->reason,
				*px->detail ? ": " : "", px->detail));
	bool good = v->state == DISP_DELIVERED; /* a good verdict's code says nothing more */
	if (*v->message || (*v->code && !good))
		add(b, look.style == ST_OK ? ST_TEXT : look.style, "",
			arena_fmt(b->a, "          %s%s%s", v->code, *v->code ? ": " : "",
				v->message));
}

static void tries(struct build *b)
{
	struct buf t = BUF_INIT(2000);
	const struct view_row *sel = NULL;
	for (size_t i = 0; i < b->in->nroutes; i++)
		if (b->in->routes[i].pixel_id == b->in->pixel_id)
			sel = &b->in->routes[i];
	for (size_t i = 0; i < b->in->nattempts; i++) {
		const struct view_attempt *at = &b->in->attempts[i];
		char ms[16];
		if (at->pixel_id != b->in->pixel_id)
			continue;
		format_ms(at->ms, ms);
		buf_addf(&t, "%s%s %d %s", t.len ? "   " : "", clock_text(b, at->at_us), at->http,
			ms);
	}
	if (sel && sel->due_us)
		buf_addf(&t, "   next %s", clock_text(b, sel->due_us));
	if (t.len)
		add(b, ST_TEXT, "tries", arena_strdup(b->a, buf_str(&t)));
	buf_release(&t);
}

static void add_some(struct buf *t, const char *name, const char *value)
{
	if (value)
		buf_addf(t, "%s%s=%.40s", t->len ? "  " : "", name, value);
}

/* What attribution lives on. */
static void clicks(struct build *b, const struct event *ev)
{
	struct buf t = BUF_INIT(4000);
	const struct event_click *c = &ev->click;
	const struct event_utm *u = &ev->utm;
	add_some(&t, "epik", c->epik);
	add_some(&t, "fbc", c->fbc);
	add_some(&t, "fbp", c->fbp);
	add_some(&t, "ttclid", c->ttclid);
	add_some(&t, "ttp", c->ttp);
	add_some(&t, "gclid", c->gclid);
	if (u->source || u->medium || u->campaign)
		buf_addf(&t, "%sutm %s/%s/%s", t.len ? "  " : "", u->source ? u->source : "-",
			u->medium ? u->medium : "-", u->campaign ? u->campaign : "-");
	add(b, ST_TEXT, "click", t.len ? arena_strdup(b->a, buf_str(&t)) : "none");
	buf_release(&t);
}

/* What a platform can find the person by: named, never shown. */
static void match_keys(struct build *b, const struct event_user *u)
{
	const struct {
		bool there;
		const char *name;
	} keys[] = {{u->email, "e-mail "}, {u->phone, "phone "}, {u->external_id, "external_id "},
		{u->ip && u->user_agent, "ip+browser "}, {u->first_name || u->last_name, "name"}};
	struct buf t = BUF_INIT(200);
	for (size_t i = 0; i < TA_COUNT(keys); i++)
		buf_adds(&t, keys[i].there ? keys[i].name : "");
	add(b, ST_TEXT, "match",
		t.len ? arena_strdup(b->a, buf_str(&t)) : "nothing to match a person by");
	buf_release(&t);
}

static void from_document(struct build *b)
{
	static const char *const consents[] = {"unknown", "granted", "denied"};
	struct event ev;
	if (!b->in->ev.doc || event_read(b->a, b->in->ev.doc, b->in->ev.ndoc, &ev, NULL))
		return;
	clicks(b, &ev);
	match_keys(b, &ev.user);
	add(b, ST_TEXT, "consent", consents[ev.consent]);
	for (size_t i = 0; i < ev.nwarnings; i++)
		add(b, ST_WARN, i ? "" : "warning", ev.warnings[i]);
}

static void build_summary(struct build *b)
{
	const struct view_event *e = &b->in->ev;
	/* A browser's address is its visitor's: personal, not shown. */
	const char *remote = e->source == SOURCE_BROWSER ? "" : e->remote;
	what(b);
	for (size_t i = 0; i < b->in->nroutes; i++)
		if (b->in->routes[i].pixel_id)
			outcome(b, &b->in->routes[i]);
	if (!b->in->nroutes || !b->in->routes[0].pixel_id)
		add(b, ST_TEXT, "pixel", "none: this store had no pixel when it came");
	tries(b);
	from_document(b);
	add(b, ST_TEXT, "ids",
		arena_fmt(b->a, "event %lld  wire %s%s%s", (long long)e->id, e->wire_id,
			*e->order_id ? "  order " : "", e->order_id));
	add(b, ST_TEXT, "receipt",
		arena_fmt(b->a, "%lld%s%s%s%s  further reports %lld", (long long)e->receipt,
			*remote ? "  from " : "", remote, *e->webhook_id ? "  webhook " : "",
			e->webhook_id, (long long)e->reports));
}

/* What was sent to the selected pixel last, and where each field of it comes from. The values stand
 * under Attempts: here they would be personal. */
static void fields(struct build *b)
{
	const struct view_attempt *at = NULL;
	const struct view_row *row = NULL;
	const struct view_rule *rule = NULL;
	const struct view_pixel *px = data_pixel(b->d, b->in->pixel_id);
	struct event ev;
	for (size_t i = b->in->nattempts; i-- > 0;) /* newest first */
		if (b->in->attempts[i].pixel_id == b->in->pixel_id && b->in->attempts[i].own)
			at = &b->in->attempts[i];
	for (size_t i = 0; i < b->in->nroutes; i++)
		if (b->in->routes[i].pixel_id == b->in->pixel_id)
			row = &b->in->routes[i];
	if (!at || !row || !px || event_read(b->a, b->in->ev.doc, b->in->ev.ndoc, &ev, NULL))
		return;
	for (size_t i = 0; i < b->in->nrules; i++)
		if (b->in->rules[i].id == row->rule_id &&
			b->in->rules[i].version == row->rule_version)
			rule = &b->in->rules[i];
	struct provenance *p = NULL;
	struct provenance_case c = {.platform = (enum platform_id)px->platform,
		.ev = &ev,
		.rule_id = row->rule_id,
		.rule_version = row->rule_version,
		.json = at->own,
		.len = at->nown};
	provenance_settings(
		b->a, &c, at->settings, rule ? rule->action : NULL, rule ? rule->with : NULL);
	size_t n = provenance_of(&c, b->a, &p);
	add(b, ST_TEXT, "", "");
	add(b, ST_STRONG, "",
		arena_fmt(b->a, "%s: the fields that were sent, and where they come from",
			pixel_name(b, b->in->pixel_id)));
	for (size_t i = 0; i < n; i++)
		add(b, p[i].known ? ST_TEXT : ST_WARN, "",
			arena_fmt(b->a, "%s %s", p[i].path, provenance_text(b->a, &p[i])));
}

static void build_payload(struct build *b)
{
	if (!b->in->ev.doc)
		add(b, ST_TEXT, "", "the document is gone: past its retention, or damaged");
	else if (!inspect_json(&b->in->text, b->a, b->in->ev.doc, b->in->ev.ndoc))
		add(b, ST_TEXT, "", b->in->ev.doc);
	if (b->in->ev.doc)
		fields(b);
}

/* The lines of a message's head; returns where its body begins. */
static size_t head_lines(struct build *b, const char *text, size_t len)
{
	size_t at = 0;
	const char *end = memmem(text, len, "\n\n", 2), *crlf = memmem(text, len, "\r\n\r\n", 4);
	if (!end && !crlf)
		return 0;
	size_t stop = (size_t)((crlf ? crlf : end) - text);
	while (at < stop) {
		const char *nl = memchr(text + at, '\n', stop - at);
		size_t n = nl ? (size_t)(nl - text) - at : stop - at;
		size_t shown = n && text[at + n - 1] == '\r' ? n - 1 : n;
		add(b, ST_TEXT, "", arena_strndup(b->a, text + at, shown));
		at += n + 1;
	}
	return stop + (crlf ? 4 : 2);
}

static void body(struct build *b, const char *name, const char *text, size_t len)
{
	size_t shown = TA_MIN(len, (size_t)VIEW_BODY);
	bool json = shown && (*text == '{' || *text == '[');
	add(b, ST_STRONG, "",
		arena_fmt(b->a, "%s, %zu bytes%s", name, len, shown < len ? ", cut here" : ""));
	size_t at = json ? 0 : head_lines(b, text, shown);
	if (at < shown && !inspect_json(&b->in->text, b->a, text + at, shown - at))
		add(b, ST_TEXT, "", text + at);
}

static void build_attempts(struct build *b)
{
	bool any = false;
	for (size_t i = 0; i < b->in->nattempts; i++) {
		const struct view_attempt *at = &b->in->attempts[i];
		char ms[16];
		if (at->pixel_id != b->in->pixel_id)
			continue;
		any = true;
		format_ms(at->ms, ms);
		bool ok = strcmp(at->class, "ok") == 0;
		add(b, ok ? ST_OK : ST_BAD, "",
			arena_fmt(b->a, "%s %s  HTTP %d  %s  %s  %d event%s%s%s",
				theme_glyph(ok ? GL_OK : GL_BAD), clock_text(b, at->at_us),
				at->http, ms, at->class, at->n, at->n == 1 ? "" : "s",
				*at->error ? "  " : "", at->error));
		body(b, "request", at->request, at->nrequest);
		body(b, "answer", at->response, at->nresponse);
		add(b, ST_TEXT, "", "");
	}
	if (!any)
		add(b, ST_TEXT, "", "nothing was sent to this pixel for this event");
}

static void build_diff(struct build *b)
{
	inspect_diff(b->in, b->d, b->a);
}

static void build_rules(struct build *b)
{
	for (size_t i = 0; i < b->in->nroutes; i++) {
		const struct view_row *r = &b->in->routes[i];
		if (!r->pixel_id)
			continue;
		const char *mark = r->pixel_id == b->in->pixel_id ? theme_glyph(GL_SELECT) : "";
		add(b, ST_STRONG, "", arena_fmt(b->a, "%s%s", mark, pixel_name(b, r->pixel_id)));
		inspect_rules(b->in, b->d, b->a, r);
	}
	if (b->in->nverdicts)
		add(b, ST_STRONG, "", "What happened then");
	for (size_t i = 0; i < b->in->nverdicts; i++) {
		const struct view_verdict *v = &b->in->verdicts[i];
		add(b, ST_TEXT, "",
			arena_fmt(b->a, "  %s  %s  run %d %s: %s %s %s%s%s%s%s",
				clock_text(b, v->at_us), pixel_name(b, v->pixel_id), v->run,
				v->attempt < 0 ? "opened"
					       : arena_fmt(b->a, "attempt %d", v->attempt),
				disposition_word(v->before), theme_glyph(GL_ARROW),
				disposition_word(v->after), v->reason ? ", " : "",
				reason_word(v->reason), *v->message ? ": " : "", v->message));
	}
	if (!b->in->nroutes || !b->in->routes[0].pixel_id)
		add(b, ST_TEXT, "", "not routed: this store had no pixel when it came");
}

void inspect_build(struct inspect *in, const struct data *d)
{
	static void (*const builders[TAB_COUNT])(struct build *) = {
		build_summary, build_payload, build_attempts, build_diff, build_rules};
	bool same = in->built_id == in->id && in->built_tab == in->tab;
	if (!in->id || (same && !in->dirty))
		return;
	int top = same ? in->text.top : 0, left = same ? in->text.left : 0;
	struct build b = {in, d, &in->text_mem};
	arena_clear(&in->text_mem);
	textview_clear(&in->text);
	if (in->missing)
		add(&b, ST_TEXT, "", "this event is no longer in the database");
	else
		builders[in->tab](&b);
	in->text.top = TA_MIN(top, in->text.n);
	in->text.left = left;
	in->built_id = in->id;
	in->built_tab = in->tab;
	in->dirty = false;
}

/* Drawing
 * ------------------------------------------------------------------------------------------ */

static void draw_tabs(const struct inspect *in, struct box b)
{
	static const char *const names[TAB_COUNT] = {
		"Summary", "Payload", "Attempts", "Diff", "Rules"};
	struct pen p = pen_at(b, 0);
	char text[40];
	draw_glyph(&p, ST_DIM, GL_RULE);
	draw_glyph(&p, ST_DIM, GL_RULE);
	draw_gap(&p, 1);
	/* Where there is little room the tabs need it; the summary names the event too. */
	bool named = b.w >= 66;
	if (named)
		draw_fmt(&p, in->focused ? ST_HERE : ST_TITLE, "event %llx",
			(unsigned long long)in->id);
	draw_gap(&p, named);
	for (int i = 0; i < TAB_COUNT; i++) {
		bool here = (enum inspect_tab)i == in->tab;
		snprintf(text, sizeof(text), here ? "[%s]" : " %s ", names[i]);
		hit_add((struct hit){.box = {p.y, p.x, 1, TA_MIN(draw_width(text), p.end - p.x)},
			.kind = HIT_TAB,
			.arg = i});
		draw_text(&p,
			!here                   ? ST_TEXT
			: in->focused && !named ? ST_HERE
						: ST_STRONG,
			-1, text);
	}
	draw_gap(&p, 1);
	int last = TA_MIN(in->text.top + in->text.height, in->text.n);
	if (in->text.n > in->text.height && in->text.height)
		snprintf(text, sizeof(text), " %d-%d/%d ", in->text.top + 1, last, in->text.n);
	else
		text[0] = '\0';
	int keep = draw_width(text) + 1;
	while (p.end - p.x > keep)
		draw_glyph(&p, ST_DIM, GL_RULE);
	draw_text(&p, ST_TEXT, -1, text);
	while (p.end - p.x > 0)
		draw_glyph(&p, ST_DIM, GL_RULE);
}

void inspect_draw(struct inspect *in, const struct data *d, struct box b)
{
	struct box text = {b.y + 1, b.x, b.h - 1, b.w};
	inspect_build(in, d);
	in->text.height = text.h;
	hit_add((struct hit){.box = text, .kind = HIT_TEXT});
	draw_tabs(in, b);
	if (in->id) {
		textview_draw(&in->text, text);
		return;
	}
	struct pen p = pen_at(text, 0);
	draw_gap(&p, 1);
	draw_text(&p, ST_DIM, -1, in->asked ? "the event is being read" : "no event is selected");
}
