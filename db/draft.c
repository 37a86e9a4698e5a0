#include "db/draft.h"

#include "src/platform.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_PRIORITY 100

/* What a new rule is numbered: behind those that exist, so that it is asked after them where the
 * priority is the same. */
static int32_t next_id(const struct catalog *c)
{
	int32_t id = 0;
	for (size_t i = 0; i < c->nrules; i++)
		id = TA_MAX(id, c->rules[i].id);
	return id + 1;
}

static enum ta_rc condition(
	struct arena *a, const struct draft_rule *d, struct route_rule *r, struct ta_err *err)
{
	struct rule_prog *prog = NULL;
	bool expr = d->expr && *d->expr;
	if (!expr && !d->logic)
		return ta_fail(err, TA_INVALID, "give a condition, as expr or logic");
	size_t at = 0;
	enum ta_rc rc = expr ? rule_compile(a, d->expr, &prog, &at, err)
			     : rule_compile_logic(a, d->logic, strlen(d->logic), &prog, err);
	if (!rc)
		rc = rule_check_fields(prog, &at, err);
	if (rc && expr)
		ta_err_prefix(err, "expr: \"%.60s\" at character %zu", d->expr, at + 1);
	else if (rc)
		ta_err_prefix(err, "logic");
	r->prog = prog;
	r->expr = d->expr;
	return rc;
}

static enum ta_rc scope_store(
	const struct catalog *c, const char *name, int32_t *id, struct ta_err *err)
{
	for (size_t i = 0; name && i < c->nstores; i++)
		if (strcmp(c->stores[i].names.name, name) == 0)
			*id = c->stores[i].id;
	if (name && !*id)
		return ta_fail(err, TA_INVALID, "there is no store \"%.60s\"", name);
	return TA_OK;
}

/* STORE/PIXEL, a pixel's id, or a name that only one pixel has. */
static enum ta_rc scope_pixel(
	const struct catalog *c, const char *ref, struct route_rule *r, struct ta_err *err)
{
	const char *slash = ref ? strrchr(ref, '/') : NULL, *name = slash ? slash + 1 : ref;
	int found = 0;
	for (size_t i = 0; ref && i < c->npixels; i++) {
		const struct route_pixel *p = &c->pixels[i];
		const struct route_store *s = catalog_store(c, p->store_id);
		bool here =
			!slash || (s && strncmp(s->names.name, ref, (size_t)(slash - ref)) == 0 &&
					  s->names.name[slash - ref] == '\0');
		bool id = !slash && strtol(ref, NULL, 10) == p->id;
		if ((r->store_id && p->store_id != r->store_id) || !here ||
			(!id && strcmp(p->names.name, name) != 0))
			continue;
		r->pixel_id = p->id;
		found++;
	}
	if (ref && found != 1)
		return ta_fail(err, TA_INVALID, "%s pixel is named \"%.80s\"; give STORE/PIXEL",
			found ? "more than one" : "no", ref);
	return TA_OK;
}

/* Where it routes must be there, in one store of its scope at least. */
static enum ta_rc find_target(
	const struct catalog *c, const struct route_rule *r, struct ta_err *err)
{
	if (r->act.kind != ACTION_ROUTE)
		return TA_OK;
	for (size_t i = 0; i < c->npixels; i++)
		for (size_t k = 0; route_rule_in_scope(r, &c->pixels[i]) && k < c->npixels; k++)
			if (c->pixels[k].store_id == c->pixels[i].store_id &&
				strcmp(c->pixels[k].names.name, r->act.name) == 0)
				return TA_OK;
	return ta_fail_field(err, "with",
		"with: no store in its scope has a pixel \"%.80s\"; name a pixel of the same store",
		r->act.name);
}

static enum ta_rc make(const struct catalog *c, const struct draft_rule *d, struct arena *a,
	struct route_rule *r, struct ta_err *err)
{
	enum ta_rc rc = rule_action_parse(a, d->action, d->with, &r->act, NULL, err);
	if (rc)
		return rc;
	r->shadow = d->shadow;
	r->priority = (int)d->priority;
	r->name = d->name ? d->name : "draft";
	r->platform = d->platform ? platform_of(d->platform) : -1;
	if (d->platform && r->platform < 0)
		return ta_fail(err, TA_INVALID, "there is no platform \"%.40s\"", d->platform);
	rc = scope_store(c, d->store, &r->store_id, err);
	if (!rc)
		rc = scope_pixel(c, d->pixel, r, err);
	if (!rc)
		rc = find_target(c, r, err);
	return rc ? rc : condition(a, d, r, err);
}

static const char *text(const json_t *o, const char *name, struct arena *a)
{
	const char *s = json_string_value(json_object_get(o, name));
	return s && *s ? arena_strdup(a, s) : NULL;
}

/* "logic" is the text that lists print, or the JSON itself. */
static const char *logic_text(const json_t *o, struct arena *a)
{
	const json_t *j = json_object_get(o, "logic");
	if (!j || json_is_null(j) || json_is_string(j))
		return text(o, "logic", a);
	char *s = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);
	const char *copy = s ? arena_strdup(a, s) : NULL;
	free(s);
	return copy;
}

static enum ta_rc read_rule(const struct catalog *c, const json_t *o, struct arena *a,
	struct route_rule *r, struct ta_err *err)
{
	const json_t *priority = json_object_get(o, "priority");
	const char *id = json_string_value(json_object_get(o, "id"));
	struct draft_rule d = {.name = text(o, "name", a),
		.expr = text(o, "expr", a),
		.logic = logic_text(o, a),
		.action = text(o, "action", a),
		.with = text(o, "with", a),
		.shadow = json_is_true(json_object_get(o, "shadow")),
		.store = text(o, "store", a),
		.pixel = text(o, "pixel", a),
		.platform = text(o, "platform", a),
		.priority = priority ? (long)json_integer_value(priority) : DEFAULT_PRIORITY};
	if (!json_is_object(o))
		return ta_fail(err, TA_INVALID, "a rule is an object");
	if (priority && (!json_is_integer(priority) || d.priority < 0 || d.priority > 1000000))
		return ta_fail(err, TA_INVALID, "priority: a whole number from 0 to 1000000");
	for (size_t i = 0; id && i < c->nrules; i++)
		if (c->rules[i].id == strtol(id, NULL, 10)) {
			r->id = c->rules[i].id;
			r->version = c->rules[i].version;
		}
	return make(c, &d, a, r, err);
}

static void sort(struct draft *d)
{
	if (d->n)
		qsort(d->rules, d->n, sizeof(*d->rules), route_rule_order);
}

enum ta_rc draft_read(const struct catalog *c, const json_t *file, struct arena *a,
	struct draft *out, struct ta_err *err)
{
	size_t i;
	json_t *o;
	int32_t id = next_id(c);
	if (!json_is_array(file))
		return ta_fail(err, TA_INVALID, "expected a JSON array of rules");
	*out = (struct draft){
		.rules = arena_alloc(a, (json_array_size(file) + 1) * sizeof(struct route_rule))};
	json_array_foreach(file, i, o)
	{
		struct route_rule *r = &out->rules[out->n];
		if (json_is_false(json_object_get(o, "enabled")))
			continue;
		enum ta_rc rc = read_rule(c, o, a, r, err);
		if (rc) {
			ta_err_prefix(err, "rule %zu", i + 1);
			return rc;
		}
		if (!r->id)
			r->id = id++;
		out->n++;
	}
	sort(out);
	return TA_OK;
}

enum ta_rc draft_extend(const struct catalog *c, const struct draft_rule *rule, struct arena *a,
	struct draft *out, struct ta_err *err)
{
	*out = (struct draft){.rules = arena_alloc(a, (c->nrules + 1) * sizeof(struct route_rule)),
		.n = c->nrules};
	if (c->nrules)
		memcpy(out->rules, c->rules, c->nrules * sizeof(*c->rules));
	if (!rule->expr && !rule->logic)
		return TA_OK;
	struct route_rule *r = &out->rules[out->n++];
	enum ta_rc rc = make(c, rule, a, r, err);
	r->id = next_id(c);
	if (!rc)
		sort(out);
	return rc;
}

enum ta_rc draft_change(const struct catalog *c, const json_t *rule, struct arena *a,
	struct draft *out, struct ta_err *err)
{
	const char *id = json_string_value(json_object_get(rule, "id"));
	long which = id ? strtol(id, NULL, 10) : 0;
	*out = (struct draft){.rules = arena_alloc(a, (c->nrules + 1) * sizeof(struct route_rule))};
	for (size_t i = 0; i < c->nrules; i++)
		if (!which || c->rules[i].id != which)
			out->rules[out->n++] = c->rules[i];
	if (json_is_false(json_object_get(rule, "enabled")))
		return TA_OK;
	struct route_rule *r = &out->rules[out->n++];
	enum ta_rc rc = read_rule(c, rule, a, r, err);
	/* One that is disabled now keeps its number, which decides among equal priorities. */
	if (!r->id)
		r->id = which > 0 && which <= INT32_MAX ? (int32_t)which : next_id(c);
	if (!rc)
		sort(out);
	return rc;
}
