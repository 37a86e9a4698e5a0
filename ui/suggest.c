/* What Tab offers: fields, operators and values of an expression, commands and their arguments. The
 * words come from the tables of the program, from the rows the console holds and from the values
 * that the worker has seen lately (ui/seen.h). */
#include "src/buf.h"
#include "src/rule_complete.h"
#include "src/rule_field.h"
#include "ui/app.h"
#include "ui/cmdline.h"
#include "ui/pane.h"

#include <stdio.h>
#include <string.h>

struct word {
	const char *text, *note;
};

static void add_words(struct complete *c, const struct word *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		complete_add(c, w[i].text, w[i].note, false);
}

/* Expressions ------------------------------------------------------------------------------------
 */

/* The list `a|b`: what a field's values are called, whatever events have had. */
struct values {
	struct complete *c;
	bool tight; /* members of a list: a comma follows at once */
};

static void add_value(struct values *v, const char *text, const char *note)
{
	struct buf b = BUF_INIT(4096);
	if (!text || !*text)
		return;
	/* Behind an open quote only what is in quotes goes on. */
	if (*v->c->typed == '"' || *v->c->typed == '\'') {
		buf_addc(&b, '"');
		for (const char *s = text; *s; s++)
			if ((unsigned char)*s >= ' ' && *s != '"' && *s != '\\')
				buf_addc(&b, *s);
		buf_addc(&b, '"');
	} else {
		rule_complete_value(&b, text);
	}
	complete_add(v->c, buf_str(&b), note, v->tight);
	buf_release(&b);
}

static void add_events(struct values *v)
{
	for (int i = 0; i < EV_COUNT; i++)
		add_value(v, event_word(i), "");
}

static void add_platforms(struct values *v)
{
	for (int i = 0; i < PLATFORM_COUNT; i++)
		add_value(v, platform_word(i), "");
}

static void add_sources(struct values *v)
{
	for (int i = 0; i < SOURCE_COUNT; i++)
		add_value(v, source_word(i), "");
}

static void add_states(struct values *v)
{
	add_value(v, "failed", "rejected or dead");
	for (int i = 0; i < DISP_COUNT; i++)
		add_value(v, disposition_word(i), disposition_final(i) ? "final" : "open");
}

static void add_reasons(struct values *v)
{
	for (int i = 1; i < REASON_COUNT; i++)
		add_value(v, reason_word(i), reason_text(i));
}

static void add_consents(struct values *v)
{
	add_value(v, "granted", "");
	add_value(v, "denied", "");
	add_value(v, "unknown", "");
}

static const struct {
	const char *field;
	void (*add)(struct values *v);
} closed[] = {{"name", add_events}, {"event.name", add_events}, {"platform", add_platforms},
	{"pixel.platform", add_platforms}, {"state", add_states}, {"disposition", add_states},
	{"reason", add_reasons}, {"source", add_sources}, {"event.source", add_sources},
	{"consent", add_consents}, {"event.consent", add_consents}};

static const char *of_store(const struct view_store *s, const char *field)
{
	bool whole = strcmp(field, "store") == 0;
	const char *of = strncmp(field, "store.", 6) == 0 ? field + 6 : whole ? "name" : field;
	return strcmp(of, "name") == 0       ? (of == field ? NULL : s->name)
	       : strcmp(of, "domain") == 0   ? s->domain
	       : strcmp(of, "currency") == 0 ? s->currency
	       : of == field                 ? NULL
	       : strcmp(of, "platform") == 0 ? s->platform
	       : strcmp(of, "timezone") == 0 ? s->timezone
	       : strcmp(of, "consent") == 0  ? s->consent
					     : NULL;
}

static void add_catalogue(const struct app *app, struct values *v, const char *field)
{
	const struct data *d = &app->data;
	bool name = strcmp(field, "pixel") == 0 || strcmp(field, "pixel.name") == 0;
	for (size_t i = 0; i < d->nstores; i++)
		add_value(v, of_store(&d->stores[i], field), "");
	for (size_t i = 0; i < d->npixels; i++) {
		const struct view_pixel *p = &d->pixels[i];
		if (name)
			add_value(v, p->name, platform_word(p->platform));
		else if (strcmp(field, "pixel.account") == 0)
			add_value(v, p->account, p->name);
	}
}

static void add_seen(const struct app *app, struct values *v, int field)
{
	const struct seen_field *f = seen_of(&app->seen, field);
	char note[60];
	for (int i = 0; f && i < f->n; i++) {
		snprintf(note, sizeof(note), "%d of the last events", f->values[i].n);
		add_value(v, f->values[i].text, note);
	}
}

/* Kinds whose values have a form rather than names. */
static void add_forms(struct complete *c, enum rule_kind kind)
{
	static const struct word bools[] = {{"true", "yes"}, {"false", "no"}};
	static const struct word spans[] = {{"250ms", "a quarter second"}, {"1s", "a second"},
		{"3s", "three seconds"}, {"1m", "a minute"}, {"1h", "an hour"}};
	static const struct word moments[] = {{"-5m", "five minutes ago"}, {"-1h", "an hour ago"},
		{"-2h", "two hours ago"}, {"-24h", "yesterday at this time"},
		{"-7d", "a week ago"}};
	if (kind == KIND_BOOL)
		add_words(c, bools, TA_COUNT(bools));
	else if (kind == KIND_DURATION)
		add_words(c, spans, TA_COUNT(spans));
	else if (kind == KIND_INSTANT)
		add_words(c, moments, TA_COUNT(moments));
}

static void add_values(const struct app *app, struct complete *c, const struct rule_place *p)
{
	const struct rule_field *f = rule_field_get(p->field);
	struct values v = {c, p->in_list};
	if (!f)
		return;
	for (size_t i = 0; i < TA_COUNT(closed); i++)
		if (strcmp(closed[i].field, f->name) == 0)
			closed[i].add(&v);
	add_catalogue(app, &v, f->name);
	add_seen(app, &v, p->field);
	add_forms(c, f->kind);
}

static void add_operators(struct complete *c, const struct rule_place *p)
{
	static const struct word equals[] = {{"==", "is"}, {"!=", "is not"}};
	static const struct word orders[] = {{">=", "at least"}, {">", "more, or later, than"},
		{"<=", "at most"}, {"<", "less, or earlier, than"}};
	static const struct word texts[] = {{"in", "is one of a list"},
		{"contains", "holds this text"}, {"starts with", "begins so"},
		{"ends with", "ends so"}, {"matches", "fits a regular expression"}};
	static const struct word lists[] = {{"contains", "has such a member"}};
	static const struct word rest[] = {{"exists", "is there at all"}};
	static const struct word not [] = {{"not", "the contrary of in, contains, exists, …"}};
	const struct rule_field *f = rule_field_get(p->field);
	enum rule_kind kind = f ? f->kind : KIND_TEXT;
	bool text = kind == KIND_TEXT, plain = !p->negated;
	if (plain && !text && kind != KIND_BOOL && kind != KIND_LIST)
		add_words(c, orders, TA_COUNT(orders));
	if (plain && kind != KIND_LIST)
		add_words(c, equals, TA_COUNT(equals));
	if (text)
		add_words(c, texts, TA_COUNT(texts));
	if (kind == KIND_LIST)
		add_words(c, lists, TA_COUNT(lists));
	add_words(c, rest, TA_COUNT(rest));
	if (plain)
		add_words(c, not, TA_COUNT(not ));
}

static void add_currencies(const struct app *app, struct complete *c)
{
	struct values v = {c, false};
	for (size_t i = 0; i < app->data.nstores; i++)
		add_value(&v, app->data.stores[i].currency, "its currency");
	add_seen(app, &v, rule_field_of("currency"));
}

static void add_fields(struct complete *c)
{
	const struct rule_field *f;
	for (int i = 0; (f = rule_field_get(i)); i++) {
		size_t n = strlen(f->name);
		char name[60];
		bool any = n && f->name[n - 1] == '*'; /* custom.*: the name goes on */
		snprintf(name, sizeof(name), "%s", f->name);
		if (any)
			*strchrnul(name, '*') = '\0';
		complete_add(c, name, f->meaning, any);
	}
	if (!*c->word)
		return; /* functions are for those who know their names */
#define CALL(function, logic, least, most, usage) complete_add(c, function "(", usage, true);
#include "src/rule_calls.def"
#undef CALL
}

/* Words between conditions; a blank comes first where the cursor touches the word before. */
static void add_joins(struct complete *c, bool touches)
{
	complete_add(c, touches ? " and" : "and", "both have to hold", false);
	complete_add(c, touches ? " or" : "or", "one of both has to hold", false);
}

static void expression(
	const struct app *app, struct complete *c, const char *text, size_t off, size_t at)
{
	struct rule_place p;
	rule_complete(text + off, at - off, &p);
	complete_at(c, text, off + p.from, at, off + p.to);
	bool touches = p.from == at - off && p.from && !strchr(" ([", text[at - 1]);
	if (p.wants & RULE_WANT_LIST)
		complete_add(c, "[", "a list of values: [\"DE\", \"FR\"]", true);
	if (p.wants & RULE_WANT_COMMA) {
		complete_add(c, ",", "and another value", false);
		complete_add(c, "]", "end of the list", false);
	}
	if (p.wants & RULE_WANT_CURRENCY)
		add_currencies(app, c);
	if (c->n && *c->word >= 'A' && *c->word <= 'Z' && (p.wants & RULE_WANT_CURRENCY))
		return; /* capitals behind an amount are its currency */
	if (p.wants & RULE_WANT_OPERATOR)
		add_operators(c, &p);
	if (p.wants & RULE_WANT_WITH)
		complete_add(c, "with", "", false);
	if (p.wants & RULE_WANT_VALUE)
		add_values(app, c, &p);
	if (p.wants & RULE_WANT_JOIN)
		add_joins(c, touches);
	if (p.wants & RULE_WANT_FIELD)
		add_fields(c);
	if (p.wants & RULE_WANT_NOT) {
		complete_add(c, "not", "the contrary of the condition", false);
		complete_add(c, "exists", "the field has a value", false);
	}
}

void suggest_expr(const struct app *app, struct complete *c, const char *text, size_t at)
{
	expression(app, c, text, 0, at);
}

/* Names of rows ----------------------------------------------------------------------------------
 */

void suggest_store(const struct app *app, struct complete *c, const char *text, size_t at)
{
	complete_at(c, text, 0, at, strlen(text));
	for (size_t i = 0; i < app->data.nstores; i++)
		complete_add(c, app->data.stores[i].name, app->data.stores[i].domain, true);
}

void suggest_pixel(const struct app *app, struct complete *c, const char *text, size_t at)
{
	complete_at(c, text, 0, at, strlen(text));
	for (size_t i = 0; i < app->data.npixels; i++) {
		const struct view_pixel *p = &app->data.pixels[i];
		const struct view_store *s = data_store(&app->data, p->store_id);
		char name[420];
		snprintf(name, sizeof(name), "%.200s/%.200s", s ? s->name : "", p->name);
		complete_add(c, s ? name : p->name, platform_word(p->platform), true);
	}
}

/* Commands ---------------------------------------------------------------------------------------
 */

static void add_commands(const struct app *app, struct complete *c)
{
	for (int i = 0; i < PANE_COUNT; i++) {
		char note[60];
		snprintf(note, sizeof(note), "view %s", pane_get((enum pane_id)i)->title);
		complete_add(c, pane_get((enum pane_id)i)->word, note, false);
	}
	for (int i = 0; cmdline_get(i); i++)
		complete_add(c, cmdline_get(i)->word, cmdline_get(i)->help,
			cmdline_get(i)->argument == ARG_NONE);
	for (int r = 1; r < REQ_COUNT; r++) {
		char word[KEY_WORD];
		key_word((enum req)r, word);
		if (key_contexts((enum req)r) & app_context(app) & ~(unsigned)K_TYPING)
			complete_add(c, word, key_help((enum req)r), true);
	}
}

static void add_argument(const struct app *app, struct complete *c, enum cmd_argument argument)
{
	static const struct word times[] = {{"-5m", "five minutes ago"},
		{"-15m", "a quarter of an hour ago"}, {"-1h", "an hour ago"},
		{"-2h", "two hours ago"}, {"-6h", "six hours ago"},
		{"-24h", "yesterday at this time"}};
	static const struct word moments[] = {{"now", "back to what happens now"},
		{"today 08:00", "this morning"}, {"yesterday 22:00", "last night"}};
	static const struct word forms[] = {
		{"csv", "for a spreadsheet"}, {"json", "for a script: one array"}};
	static const struct word seconds[] = {{"1", "each second"}, {"2", "every 2 s"},
		{"5", "every 5 s"}, {"10", "every 10 s"}, {"30", "every 30 s"}};
	static const struct word hours[] = {{"1", "the last hour"}, {"24", "a day"},
		{"72", "three days"}, {"168", "a week"}, {"720", "thirty days"}};
	static const struct word switches[] = {{"on", ""}, {"off", ""}};
	const struct data *d = &app->data;
	switch (argument) {
	case ARG_TIME:
		add_words(c, times, TA_COUNT(times));
		return;
	case ARG_MOMENT:
		add_words(c, moments, TA_COUNT(moments));
		add_words(c, times, TA_COUNT(times));
		return;
	case ARG_EXPORT:
		add_words(c, forms, TA_COUNT(forms));
		return;
	case ARG_HOURS:
		add_words(c, hours, TA_COUNT(hours));
		return;
	case ARG_SECONDS:
		add_words(c, seconds, TA_COUNT(seconds));
		return;
	case ARG_SWITCH:
		add_words(c, switches, TA_COUNT(switches));
		return;
	case ARG_STORE:
		for (size_t i = 0; i < d->nstores; i++)
			complete_add(c, d->stores[i].name, d->stores[i].domain, true);
		return;
	case ARG_PIXEL:
		for (size_t i = 0; i < d->npixels; i++)
			complete_add(
				c, d->pixels[i].name, platform_word(d->pixels[i].platform), true);
		return;
	case ARG_EXPR:
	case ARG_NONE:
		return;
	}
}

void suggest_command(const struct app *app, struct complete *c, const char *text, size_t at)
{
	size_t begin = strspn(text, " :"), n = strcspn(text + begin, " ");
	size_t off = begin + n + strspn(text + begin + n, " ");
	if (at <= begin + n) {
		complete_at(c, text, TA_MIN(begin, at), at, begin + n);
		add_commands(app, c);
		return;
	}
	enum cmd_argument argument = cmdline_argument(text + begin, n);
	if (argument == ARG_EXPR) {
		expression(app, c, text, TA_MIN(off, at), at);
		return;
	}
	/* A word of its own; names of rows may hold blanks and go on to the end. */
	bool whole = argument == ARG_STORE || argument == ARG_PIXEL;
	size_t from = at;
	while (from > off && (whole || text[from - 1] != ' '))
		from--;
	complete_at(c, text, from, at, whole ? strlen(text) : at + strcspn(text + at, " "));
	if (whole || from <= off)
		add_argument(app, c, argument);
}
