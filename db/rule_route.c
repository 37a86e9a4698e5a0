#include "db/rule_route.h"

#include "db/conn.h"
#include "src/arena.h"
#include "src/rule_action.h"

#include <string.h>

struct pixel {
	int64_t id, store_id;
	const char *store, *name, *platform;
	bool seen; /* on the way that is being followed */
};

/* An edge from every pixel of its scope to the pixel of that name in the same store. */
struct edge {
	int64_t store_id, pixel_id;
	const char *platform, *target, *name;
};

struct graph {
	struct arena *a;
	struct pixel *pixels; /* by store */
	struct edge *edges;
	size_t npixels, nedges;
};

static const char *text(struct graph *g, const PGresult *r, int row, int col)
{
	return arena_strdup(g->a, db_text(r, row, col));
}

/* The pixel's name that an argument means, NULL: it cannot be read. */
static const char *target_of(struct graph *g, const char *with)
{
	struct rule_act act;
	if (rule_action_parse(g->a, rule_action_rows[ACTION_ROUTE].word, with, &act, NULL, NULL))
		return NULL;
	return act.name;
}

static enum ta_rc load_pixels(struct graph *g, struct db *db, struct ta_err *err)
{
	PGresult *r = NULL;
	enum ta_rc rc = db_query(db,
		"SELECT p.id::bigint, p.store_id::bigint, s.name, p.name, p.platform FROM pixel p "
		"JOIN store s ON s.id = p.store_id WHERE p.deleted_us IS NULL ORDER BY p.store_id, "
		"p.id",
		NULL, &r, err);
	g->npixels = rc ? 0 : (size_t)db_rows(r);
	g->pixels = arena_alloc(g->a, (g->npixels + 1) * sizeof(*g->pixels));
	for (size_t i = 0; i < g->npixels; i++)
		g->pixels[i] = (struct pixel){.id = db_i64(r, (int)i, 0),
			.store_id = db_i64(r, (int)i, 1),
			.store = text(g, r, (int)i, 2),
			.name = text(g, r, (int)i, 3),
			.platform = text(g, r, (int)i, 4)};
	PQclear(r);
	return rc;
}

/* Rules in force that route, but rule `without`. */
static enum ta_rc load_edges(struct graph *g, struct db *db, int64_t without, struct ta_err *err)
{
	PGresult *r = NULL;
	struct db_args args = DB_ARGS_INIT;
	db_arg_i64(&args, without);
	enum ta_rc rc = db_query(db,
		"SELECT coalesce(store_id, 0)::bigint, coalesce(pixel_id, 0)::bigint, platform, "
		"with_text, name FROM rule WHERE to_rev IS NULL AND action = 'route' AND enabled AND "
		"NOT shadow AND id <> $1 ORDER BY priority, id",
		&args, &r, err);
	size_t n = rc ? 0 : (size_t)db_rows(r);
	g->edges = arena_alloc(g->a, (n + 1) * sizeof(*g->edges));
	for (size_t i = 0; i < n; i++) {
		const char *target = target_of(g, db_text(r, (int)i, 3));
		if (target)
			g->edges[g->nedges++] = (struct edge){.store_id = db_i64(r, (int)i, 0),
				.pixel_id = db_i64(r, (int)i, 1),
				.platform = db_null(r, (int)i, 2) ? NULL : text(g, r, (int)i, 2),
				.target = target,
				.name = text(g, r, (int)i, 4)};
	}
	PQclear(r);
	db_args_release(&args);
	return rc;
}

static bool leaves(const struct edge *e, const struct pixel *p)
{
	return (!e->store_id || e->store_id == p->store_id) &&
	       (!e->pixel_id || e->pixel_id == p->id) &&
	       (!e->platform || strcmp(e->platform, p->platform) == 0);
}

static struct pixel *sibling(const struct graph *g, const struct pixel *p, const char *name)
{
	for (size_t i = 0; i < g->npixels; i++)
		if (g->pixels[i].store_id == p->store_id && strcmp(g->pixels[i].name, name) == 0)
			return &g->pixels[i];
	return NULL;
}

/* Where a rule sends what it is asked at p; NULL: nowhere else. */
static struct pixel *end_of(const struct graph *g, const struct edge *e, const struct pixel *p)
{
	struct pixel *end = leaves(e, p) ? sibling(g, p, e->target) : NULL;
	return end == p ? NULL : end;
}

/* The rule by which a way that begins at `at` comes to `to`, NULL: none does. A rule that routes to
 * the pixel it is asked at sends there, which is no way. */
static const struct edge *way(const struct graph *g, struct pixel *at, const struct pixel *to)
{
	const struct edge *found = NULL;
	if (at->seen)
		return NULL;
	at->seen = true;
	for (size_t i = 0; g->edges && i < g->nedges && !found; i++) {
		struct pixel *next = end_of(g, &g->edges[i], at);
		if (next && next == to)
			found = &g->edges[i];
		else if (next)
			found = way(g, next, to);
	}
	return found;
}

static enum ta_rc check_pixel(
	struct graph *g, const struct edge *rule, const struct pixel *p, struct ta_err *err)
{
	struct pixel *target = sibling(g, p, rule->target);
	if (!target || target == p)
		return TA_OK;
	for (size_t i = 0; i < g->npixels; i++)
		g->pixels[i].seen = false;
	const struct edge *back = way(g, target, p);
	if (!back)
		return TA_OK;
	return ta_fail_field(err, "with",
		"with: the rule \"%.50s\" routes back from \"%.40s\" to \"%.40s\" in the store %.40s: "
		"events could go in a circle",
		back->name, rule->target, p->name, p->store);
}

/* The scope's pixels, and whether one of them has somewhere to route to. */
static enum ta_rc check_target(const struct graph *g, const struct edge *rule, struct ta_err *err)
{
	bool found = false, elsewhere = false;
	for (size_t i = 0; i < g->npixels; i++) {
		const struct pixel *p = &g->pixels[i];
		const struct pixel *target = leaves(rule, p) ? sibling(g, p, rule->target) : NULL;
		found |= target != NULL;
		elsewhere |= target && target != p;
	}
	if (!found)
		return ta_fail_field(err, "with",
			"with: %s has no pixel \"%.80s\"; name a pixel of the same store",
			rule->store_id || rule->pixel_id ? "the store" : "no store in its scope",
			rule->target);
	if (!elsewhere)
		return ta_fail_field(err, "with",
			"with: the rule concerns \"%.80s\" alone and would route there from itself",
			rule->target);
	return TA_OK;
}

enum ta_rc rule_route_check(
	struct db *db, const struct rule_route *rule, struct arena *a, struct ta_err *err)
{
	struct graph g = {.a = a};
	struct edge e = {.store_id = rule->store_id,
		.pixel_id = rule->pixel_id,
		.platform = rule->platform,
		.target = target_of(&g, rule->with)};
	enum ta_rc rc = load_pixels(&g, db, err);
	if (!rc)
		rc = load_edges(&g, db, rule->id, err);
	if (!rc && e.target)
		rc = check_target(&g, &e, err);
	for (size_t i = 0; i < g.npixels && !rc && e.target && rule->live; i++)
		if (leaves(&e, &g.pixels[i]))
			rc = check_pixel(&g, &e, &g.pixels[i], err);
	return rc;
}
