#include "src/cmd_demo.h"

#include "db/conn.h"
#include "db/table.h"
#include "src/arena.h"
#include "src/cmd_db.h"
#include "src/crypto.h"
#include "src/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One pixel whose token has expired, one whose hashes the platform does not take now and then, one
 * that is throttled, and platforms that take their time. */
const char demo_faults[] =
	"pinterest:latency=60ms,meta:latency=120ms,tiktok:latency=40ms,"
	"pinterest:event_fail=15@549755885103,tiktok:rate_limit=3@CSOLEMATES105%6,"
	"meta:status=503%1,pinterest:html@549755885105%1";

static const struct {
	const char *store, *platform, *account, *token;
} pixels[] = {
	{"acme-de", "pinterest", "549755885101", "demo-pinterest-101"},
	{"acme-de", "meta", "310000000000101", "demo-meta-101"},
	{"acme-de", "tiktok", "CACMEDE101", "demo-tiktok-101"},
	{"nordic-lamps", "pinterest", "549755885102", "demo-pinterest-102"},
	{"nordic-lamps", "meta", "310000000000102", "expired-meta-102"},
	{"kaffe-shop", "pinterest", "549755885103", "demo-pinterest-103"},
	{"kaffe-shop", "tiktok", "CKAFFESHOP103", "demo-tiktok-103"},
	{"tokyo-paper", "meta", "310000000000104", "demo-meta-104"},
	{"tokyo-paper", "tiktok", "CTOKYOPAPER104", "demo-tiktok-104"},
	{"sole-mates", "pinterest", "549755885105", "demo-pinterest-105"},
	{"sole-mates", "meta", "310000000000105", "demo-meta-105"},
	{"sole-mates", "tiktok", "CSOLEMATES105", "demo-tiktok-105"},
};

static const struct {
	const char *name, *store, *expr, *action;
} rules[] = {
	{"no wish lists", "acme-de", "name == add_to_wishlist", "drop"},
	{"small change stays home", "sole-mates", "name == purchase and value < 10 USD", "drop"},
};

/* A row as pairs of field and value, NULL at the end. */
static enum ta_rc add_row(struct db *db, struct arena *mem, const char *word,
	const char *const *pairs, const char **reveal, struct ta_err *err)
{
	const struct table *t = table_get(word);
	TA_ASSERT(t);
	struct table_edit e = {.mem = mem, .actor = "demo"};
	e.v = arena_alloc(mem, t->nfields * sizeof(*e.v));
	for (; pairs[0]; pairs += 2) {
		size_t i = 0;
		while (i < t->nfields && strcmp(t->fields[i].name, pairs[0]) != 0)
			i++;
		if (i == t->nfields)
			return ta_fail(err, TA_BUG, "demo: %s has no field %s", word, pairs[0]);
		e.v[i] = pairs[1];
	}
	enum ta_rc rc = table_add(db, t, &e, err);
	if (reveal)
		*reveal = e.reveal;
	return rc;
}

/* A demo that was killed while it made its shops finds some of them: that is no error. */
static enum ta_rc or_exists(enum ta_rc rc, struct ta_err *err)
{
	if (rc != TA_CONFLICT)
		return rc;
	*err = (struct ta_err){0};
	return TA_OK;
}

static enum ta_rc add_store(
	struct db *db, struct arena *mem, int shop, json_t *made, struct ta_err *err)
{
	const struct player_shop *s = &player_shops[shop];
	uint8_t random[16];
	char secret[33];
	const char *public_key = NULL, *server_key = NULL;
	crypto_random(random, sizeof(random));
	hex_encode(random, sizeof(random), secret);
	const char *store[] = {"name", s->name, "platform", "shopify", "domain", s->domain,
		"currency", s->currency, "timezone", s->timezone, "webhook_secret", secret, NULL,
		NULL};
	const char *public_row[] = {"store", s->name, "scope", "public", NULL, NULL};
	const char *server_row[] = {"store", s->name, "scope", "track", NULL, NULL};
	enum ta_rc rc = add_row(db, mem, "store", store, NULL, err);
	if (rc == TA_CONFLICT) {
		const struct table *t = table_get("store");
		struct table_row row;
		struct table_edit e = {.mem = mem, .actor = "demo"};
		e.v = arena_alloc(mem, t->nfields * sizeof(*e.v));
		for (size_t i = 0; i < t->nfields; i++)
			if (strcmp(t->fields[i].name, "webhook_secret") == 0)
				e.v[i] = secret;
		rc = table_find(db, t, s->name, mem, &row, err);
		e.id = row.id;
		rc = rc ? rc : table_set(db, t, &e, err);
	}
	if (!rc)
		rc = add_row(db, mem, "key", public_row, &public_key, err);
	if (!rc)
		rc = add_row(db, mem, "key", server_row, &server_key, err);
	if (!rc)
		json_object_set_new(made, s->name,
			json_pack("{s:s, s:s, s:s}", "webhook_secret", secret, "public_key",
				public_key, "server_key", server_key));
	return rc;
}

static enum ta_rc add_all(struct db *db, struct arena *mem, json_t *made, struct ta_err *err)
{
	enum ta_rc rc = TA_OK;
	for (int i = 0; !rc && i < PLAYER_SHOPS; i++)
		rc = add_store(db, mem, i, made, err);
	for (size_t i = 0; !rc && i < TA_COUNT(pixels); i++) {
		const char *row[] = {"store", pixels[i].store, "platform", pixels[i].platform,
			"account", pixels[i].account, "token", pixels[i].token, NULL, NULL};
		rc = or_exists(add_row(db, mem, "pixel", row, NULL, err), err);
	}
	for (size_t i = 0; !rc && table_get("rule") && i < TA_COUNT(rules); i++) {
		const char *row[] = {"name", rules[i].name, "store", rules[i].store, "expr",
			rules[i].expr, "action", rules[i].action, NULL, NULL};
		rc = or_exists(add_row(db, mem, "rule", row, NULL, err), err);
	}
	return rc;
}

static enum ta_rc save(const char *path, const json_t *made, struct ta_err *err)
{
	char part[620];
	snprintf(part, sizeof(part), "%s.new", path);
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ta_fail_os(err, "cannot write %.150s", part);
	bool ok = json_dumpfd(made, fd, JSON_INDENT(1)) == 0 && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (!ok || rename(part, path))
		return ta_fail_os(err, "cannot write %.150s", path);
	return TA_OK;
}

static bool fill(json_t *made, struct player_access access[PLAYER_SHOPS])
{
	for (int i = 0; i < PLAYER_SHOPS; i++) {
		const json_t *s = json_object_get(made, player_shops[i].name);
		const char *secret = json_string_value(json_object_get(s, "webhook_secret"));
		const char *public_key = json_string_value(json_object_get(s, "public_key"));
		const char *server_key = json_string_value(json_object_get(s, "server_key"));
		if (!secret || !public_key || !server_key)
			return false;
		access[i] = (struct player_access){
			ta_strdup(secret), ta_strdup(public_key), ta_strdup(server_key)};
	}
	return true;
}

enum ta_rc demo_shops(
	const struct demo_plan *plan, struct player_access access[PLAYER_SHOPS], struct ta_err *err)
{
	char path[600];
	struct db *db = NULL;
	struct arena mem = ARENA_INIT;
	enum ta_rc rc = TA_OK;
	snprintf(path, sizeof(path), "%.560s/run/demo.json", plan->dir);
	json_t *made = json_load_file(path, 0, NULL);
	if (!made || !fill(made, access)) {
		json_decref(made);
		made = json_object();
		rc = cmd_db_ready("demo", &db, err);
		if (!rc)
			rc = add_all(db, &mem, made, err);
		if (!rc)
			rc = save(path, made, err);
		if (!rc && !fill(made, access))
			rc = ta_fail(err, TA_BUG, "demo: a key was not shown");
	}
	db_close(db);
	json_decref(made);
	arena_release(&mem);
	return rc;
}
