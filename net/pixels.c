/* The dispatcher's pixels: settings, tokens, destinations. */
#include "db/secret.h"
#include "net/dispatch.h"
#include "src/conf.h"
#include "src/log.h"
#include "src/role.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pixel *pixel_find(const struct dispatch *d, int32_t id)
{
	size_t lo = 0, hi = d->npixels;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (d->pixels[mid]->row.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < d->npixels && d->pixels[lo]->row.id == id ? d->pixels[lo] : NULL;
}

static const char *base_url(enum platform_id id)
{
	switch (id) {
	case PLATFORM_PINTEREST:
		return conf_get(CONF_PINTEREST_URL);
	case PLATFORM_META:
		return conf_get(CONF_META_URL);
	case PLATFORM_TIKTOK:
		return conf_get(CONF_TIKTOK_URL);
	case PLATFORM_SHEETS:
	case PLATFORM_COUNT:
		break;
	}
	return conf_get(CONF_SHEETS_URL);
}

static void forget_token(struct pixel *p)
{
	if (p->token)
		crypto_wipe(p->token, strlen(p->token));
	free(p->token);
	p->token = NULL;
}

static void open_token(const struct role *role, struct pixel *p)
{
	struct secret_text text;
	struct ta_err err;
	struct secret_place place = secret_of_pixel(p->row.uid);
	forget_token(p);
	p->fault[0] = '\0';
	if (p->row.deleted)
		return; /* nothing goes out any more */
	if (!p->dest)
		snprintf(p->fault, sizeof(p->fault), "this version cannot send to %s yet",
			p->platform->title);
	else if (!p->row.token.p)
		snprintf(p->fault, sizeof(p->fault),
			"the pixel has no token; give it one with trackai pixel set --token, then "
			"release it");
	else if (secret_open(role->key, &place, p->row.token, &text, &err))
		snprintf(p->fault, sizeof(p->fault),
			"its token cannot be opened with this machine's key (%.80s); set the token "
			"again, then release it",
			err.msg);
	else {
		p->token = ta_strdup(text.text);
		crypto_wipe(&text, sizeof(text));
	}
}

/* Its own names: checked when they were saved, perhaps by another version of the program. */
static void read_names(struct pixel *p)
{
	struct ta_err err = {0};
	int platform = (int)p->row.platform;
	if (*p->fault || p->row.deleted)
		return;
	if (event_map_parse(&p->mem, p->row.event_names, platform, &p->event_names, &err) ||
		name_map_parse(&p->mem, p->row.content_ids, &p->content_ids, &err))
		snprintf(p->fault, sizeof(p->fault),
			"its own names cannot be read: %.120s; set them again, then release it",
			err.msg);
}

static void copy_row(struct pixel *p, const struct delivery_pixel *row)
{
	arena_clear(&p->mem);
	p->row = *row;
	p->row.name = arena_strdup(&p->mem, row->name);
	p->row.account = arena_strdup(&p->mem, row->account);
	p->row.content_id = arena_strdup(&p->mem, row->content_id);
	p->row.event_names = arena_strdup(&p->mem, row->event_names);
	p->row.content_ids = arena_strdup(&p->mem, row->content_ids);
	p->event_names = NULL;
	p->content_ids = NULL;
	p->row.test_code = row->test_code ? arena_strdup(&p->mem, row->test_code) : NULL;
	if (row->token.p) {
		void *token = arena_alloc(&p->mem, row->token.n + 1);
		memcpy(token, row->token.p, row->token.n);
		p->row.token.p = token;
	}
	p->platform = platform_get(row->platform);
	p->dest = dest_get(row->platform);
}

static struct pixel *add_pixel(struct dispatch *d, const struct delivery_pixel *row)
{
	struct pixel *p = ta_alloc(sizeof(*p));
	batches_init(&p->ready);
	d->pixels = ta_realloc(d->pixels, (d->npixels + 1) * sizeof(*d->pixels));
	size_t at = d->npixels++;
	while (at && d->pixels[at - 1]->row.id > row->id) {
		d->pixels[at] = d->pixels[at - 1];
		at--;
	}
	d->pixels[at] = p;
	return p;
}

static enum ta_rc take_row(struct dispatch *d, const struct delivery_pixel *row, struct ta_err *err)
{
	struct pixel *p = pixel_find(d, row->id);
	bool is_new = !p;
	if ((size_t)row->platform >= PLATFORM_COUNT)
		return TA_OK;
	if (is_new)
		p = add_pixel(d, row);
	copy_row(p, row);
	open_token(d->stage.role, p);
	read_names(p);
	/* What waits at a deleted pixel is let go and gets its verdict unsent (net/batch.c). */
	bool held = row->held && !row->deleted;
	if (row->deleted)
		p->circuit = (struct circuit){0};
	if (held && !p->held && d->head)
		pixel_freeze(d, p);
	else if (!held && p->held)
		return pixel_thaw(d, p, 0, err);
	else
		p->held = held;
	return TA_OK;
}

enum ta_rc pixels_load(struct dispatch *d, struct ta_err *err)
{
	struct arena a = ARENA_INIT;
	struct delivery_pixel *rows = NULL;
	size_t n = 0;
	enum ta_rc rc = delivery_pixels(d->stage.db, &a, &rows, &n, err);
	for (size_t i = 0; !rc && i < n; i++)
		rc = take_row(d, &rows[i], err);
	arena_release(&a);
	return rc;
}

static void release_pixel(struct pixel *p)
{
	while (p->nlanes)
		pixel_remove_lane(p, p->nlanes - 1);
	free(p->lanes);
	idq_release(&p->q);
	batches_free(&p->ready);
	for (int i = 0; i < p->nflying; i++)
		batch_free(p->flying[i]);
	free(p->retries);
	forget_token(p);
	arena_release(&p->mem);
	free(p);
}

void pixels_release(struct dispatch *d)
{
	for (size_t i = 0; i < d->npixels; i++)
		release_pixel(d->pixels[i]);
	free(d->pixels);
	d->pixels = NULL;
	d->npixels = 0;
}

void pixel_config(const struct pixel *p, struct dest_config *out)
{
	*out = (struct dest_config){
		.base_url = base_url(p->row.platform),
		.account = p->row.account,
		.token = p->token,
		.test_code = p->row.test_code,
		.content_id = p->row.content_id,
		.event_names = p->event_names,
		.content_ids = p->content_ids,
	};
}

void pixel_config_address(const struct pixel *p, struct dest_config *cfg)
{
	cfg->base_url = base_url(p->row.platform);
	cfg->account = p->row.account;
	cfg->token = p->token;
	cfg->test_code = p->row.test_code;
}

/* The named setting; *now where the object does not speak of it, NULL where it is empty. */
static const char *setting(struct arena *a, const json_t *o, const char *key, const char *now)
{
	const json_t *v = json_object_get(o, key);
	if (!v)
		return now;
	const char *s = json_string_value(v);
	return s && *s ? arena_strdup(a, s) : NULL;
}

enum ta_rc pixel_config_set(const struct pixel *p, const json_t *settings, struct arena *a,
	struct dest_config *cfg, struct ta_err *err)
{
	const char *account = setting(a, settings, "account", cfg->account);
	const char *content = setting(a, settings, "content_id", cfg->content_id);
	const char *events = setting(a, settings, "event_names", NULL);
	const char *contents = setting(a, settings, "content_ids", NULL);
	enum ta_rc rc = TA_OK;
	cfg->account = account ? account : cfg->account;
	cfg->content_id = content ? content : cfg->content_id;
	cfg->test_code = setting(a, settings, "test_code", cfg->test_code);
	if (json_object_get(settings, "event_names"))
		rc = event_map_parse(a, events, (int)p->row.platform, &cfg->event_names, err);
	if (!rc && json_object_get(settings, "content_ids"))
		rc = name_map_parse(a, contents, &cfg->content_ids, err);
	return rc;
}

enum ta_rc pixel_config_at(struct dispatch *d, const struct pixel *p, int32_t version,
	struct arena *a, struct dest_config *out, struct ta_err *err)
{
	const char *text = "";
	pixel_config(p, out);
	if (version == p->row.version)
		return TA_OK;
	enum ta_rc rc = delivery_settings(d->stage.db, a, p->row.id, version, &text, err);
	if (rc || !*text)
		return rc;
	json_t *o = json_loads(text, 0, NULL);
	out->event_names = NULL;
	out->content_ids = NULL;
	rc = pixel_config_set(p, o, a, out, err);
	json_decref(o);
	return rc;
}
