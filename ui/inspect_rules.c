#include "src/buf.h"
#include "src/explain.h"
#include "ui/inspect.h"

#include <string.h>

/* The routing case as it was: the event's document, the rules of the route's revision. The store's
 * settings are today's, which the screen cannot know better. */
struct scene {
	struct event ev;
	struct route_store store;
	struct route_pixel *pixels; /* of the store */
	struct route_rule *rules;
	size_t npixels, nrules;
};

static void set_store(struct scene *s, const struct view_store *st)
{
	s->store = (struct route_store){
		.id = st->id,
		.names = {.name = st->name,
			.platform = st->platform,
			.domain = st->domain,
			.currency = st->currency,
			.timezone = st->timezone,
			.consent = st->consent},
		.basis = st->basis,
		.consent_required = st->consent && strcmp(st->consent, "required") == 0,
		.purchase_on_paid = st->purchase_on_paid,
		.send_pos = st->send_pos,
		.send_draft = st->send_draft,
		.has_webhook = st->has_webhook,
	};
}

static struct route_pixel pixel_of(const struct view_pixel *px, struct arena *a)
{
	struct route_pixel p = {
		.id = px->id,
		.store_id = px->store_id,
		.platform = (enum platform_id)px->platform,
		.names = {.name = px->name,
			.platform = platform_word(px->platform),
			.account = px->account,
			.test_code = px->test_code,
			.content_id = px->content_id},
	};
	if (event_map_parse(a, px->event_names, px->platform, &p.event_names, NULL))
		p.event_names = NULL;
	return p;
}

static void set_rules(struct scene *s, const struct inspect *in, struct arena *a)
{
	s->rules = arena_alloc(a, (in->nrules + 1) * sizeof(*s->rules));
	for (size_t i = 0; i < in->nrules; i++) {
		const struct view_rule *v = &in->rules[i];
		struct rule_prog *prog = NULL;
		struct rule_act act;
		if (rule_action_parse(a, v->action, v->with, &act, NULL, NULL) ||
			rule_compile_event(a, v->expr, &prog, NULL, NULL))
			prog = NULL; /* shown as broken */
		s->rules[s->nrules++] = (struct route_rule){.id = v->id,
			.version = v->version,
			.priority = v->priority,
			.pixel_id = v->pixel_id,
			.platform = -1,
			.shadow = v->shadow,
			.act = act,
			.name = v->name,
			.expr = v->expr,
			.prog = prog};
	}
}

/* The store's pixels, because a rule may send events from one to another. */
static void set_pixels(struct scene *s, const struct data *d, struct arena *a)
{
	s->pixels = arena_alloc(a, (d->npixels + 1) * sizeof(*s->pixels));
	for (size_t i = 0; i < d->npixels; i++) {
		if (d->pixels[i].store_id != s->store.id || d->pixels[i].platform < 0)
			continue;
		struct route_pixel *p = &s->pixels[s->npixels++];
		*p = pixel_of(&d->pixels[i], a);
		route_pixel_scope(p, s->rules, s->nrules, a);
	}
	route_pixels_link(s->pixels, s->npixels);
}

static const struct route_pixel *find_pixel(const struct scene *s, int32_t id)
{
	for (size_t i = 0; i < s->npixels; i++)
		if (s->pixels[i].id == id)
			return &s->pixels[i];
	return NULL;
}

/* What identifies a person is not shown here either. */
static const char *seen(const struct rule_step *step)
{
	if (!step->seen)
		return "nothing";
	return strstr(step->predicate, "user.") ? "(masked)" : step->seen;
}

static const char *action_text(const struct rule_act *act, struct arena *a)
{
	struct buf b = BUF_INIT(2 * RULE_WITH_MAX);
	rule_action_print(act, &b);
	const char *s = arena_strdup(a, buf_str(&b));
	buf_release(&b);
	return s;
}

static void show_step(struct inspect *in, struct arena *a, const struct rule_step *step)
{
	textview_add(&in->text, ST_TEXT, "",
		arena_fmt(a, "      %s %s   saw %s%s%s", theme_glyph(step->result ? GL_OK : GL_OFF),
			step->predicate, seen(step), step->why ? ": " : "",
			step->why ? step->why : ""));
}

static void show_rule(struct inspect *in, struct arena *a, const struct explain_rule *x)
{
	const struct route_rule *r = x->rule;
	bool match = x->result == EXPLAIN_MATCH,
	     broken = x->result == EXPLAIN_BROKEN || x->result == EXPLAIN_FAILED;
	enum glyph g = match ? GL_OK : broken ? GL_BAD : GL_OFF;
	const char *why = x->result == EXPLAIN_FAILED ? explain_why(x) : "";
	textview_add(&in->text,
		broken  ? ST_BAD
		: match ? ST_STRONG
			: ST_TEXT,
		"",
		arena_fmt(a, "  %s rule %d \"%s\" v%d, priority %d, %s%s: %s%s%s", theme_glyph(g),
			r->id, r->name, r->version, r->priority, r->shadow ? "shadow, " : "",
			action_text(&r->act, a), explain_word(x->result), *why ? ", " : "", why));
	textview_add(&in->text, ST_TEXT, "",
		arena_fmt(a, "      %s", *r->expr ? r->expr : "(every event)"));
	for (size_t i = 0; i < x->trace.n; i++)
		show_step(in, a, &x->trace.steps[i]);
}

/* Another pixel has a hand in it. */
static void show_other(
	struct inspect *in, struct arena *a, const struct scene *s, const struct route_decision *d)
{
	const struct route_pixel *other = find_pixel(s, d->other_pixel);
	if (!other)
		return;
	bool away = d->reason == REASON_REROUTED;
	textview_add(&in->text, ST_TEXT, "",
		arena_fmt(a, "  rule %d sent it %s the pixel %s", d->rule_id,
			away ? "from here to" : "here, from", other->names.name));
}

static void outcome(struct inspect *in, struct arena *a, const struct view_row *route)
{
	/* The newest state is in the summary; here is what routing said. */
	const char *text =
		route->rule_id
			? arena_fmt(a, "  decided by rule %d version %d", route->rule_id,
				  route->rule_version)
			: "  no rule decided: without one, every mapped event goes to every pixel";
	textview_add(&in->text, ST_TEXT, "", text);
}

void inspect_rules(
	struct inspect *in, const struct data *d, struct arena *a, const struct view_row *route)
{
	struct scene s = {.nrules = 0};
	struct explain x;
	const struct view_store *st = data_store(d, in->ev.store_id);
	outcome(in, a, route);
	if (!st || !in->ev.doc || !in->nrules ||
		event_read(a, in->ev.doc, in->ev.ndoc, &s.ev, NULL))
		return;
	set_store(&s, st);
	set_rules(&s, in, a);
	set_pixels(&s, d, a);
	struct route_case c = {.ev = &s.ev,
		.store = &s.store,
		.pixel = find_pixel(&s, route->pixel_id),
		.received_us = in->ev.received_us,
		.event_id = in->ev.id};
	if (!c.pixel)
		return;
	route_explain(&c, a, &x);
	show_other(in, a, &s, &x.decision);
	for (size_t i = 0; i < x.n; i++)
		show_rule(in, a, &x.rules[i]);
}
