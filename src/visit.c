#include "src/visit.h"

#include "src/arena.h"
#include "src/attr.h"
#include "src/buf.h"
#include "src/click.h"
#include "src/clock.h"
#include "src/crypto.h"
#include "src/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Parameters that carry an id of the ad platform, by what it is the id of. */
enum ad_id { CAMPAIGN, AD_GROUP, AD, PIN, AD_IDS };
static const struct {
	const char *name;
	enum ad_id what;
} id_parameters[] = {
	{"utm_id", CAMPAIGN},
	{"campaign_id", CAMPAIGN},
	{"campaignid", CAMPAIGN},
	{"hsa_cam", CAMPAIGN},
	{"ad_group_id", AD_GROUP},
	{"adgroup_id", AD_GROUP},
	{"adgroupid", AD_GROUP},
	{"adset_id", AD_GROUP},
	{"aid", AD_GROUP}, /* TikTok's __AID__ is the ad group, __CID__ the ad */
	{"ad_id", AD},
	{"adid", AD},
	{"creative_id", AD},
	{"cid", AD},
	{"pin_id", PIN},
	{"pinid", PIN},
};

static bool is_id(const char *s)
{
	size_t n = s ? strspn(s, "0123456789") : 0;
	return n >= 5 && n <= 24 && !s[n];
}

static void read_ids(struct arena *a, const char *url, const char *ids[AD_IDS])
{
	struct query_iter it = query_begin(url);
	struct query_param p;
	while (query_next(&it, &p))
		for (size_t i = 0; i < TA_COUNT(id_parameters); i++) {
			const char *name = id_parameters[i].name;
			enum ad_id what = id_parameters[i].what;
			if (ids[what] || p.name_len != strlen(name) ||
				strncasecmp(p.name, name, p.name_len) != 0)
				continue;
			const char *v = query_decode(a, p.value, p.value_len);
			if (is_id(v))
				ids[what] = v;
		}
}

/* The host of an absolute URL in lower case without "www.", NULL when there is none. An app's
 * referrer (android-app://com.pinterest/) gives the last part of its name. */
static const char *host_of(struct arena *a, const char *url)
{
	const char *p = url ? strstr(url, "://") : NULL;
	if (!p || p == url)
		return NULL;
	p += 3;
	size_t n = strcspn(p, "/?#:");
	if (n > 4 && strncasecmp(p, "www.", 4) == 0) {
		p += 4;
		n -= 4;
	}
	char *host = arena_strndup(a, p, n);
	for (char *c = host; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (strncasecmp(url, "android-app:", 12) == 0 && strrchr(host, '.'))
		return strrchr(host, '.') + 1;
	return *host ? host : NULL;
}

static const struct {
	const char *word;
	enum platform_id platform;
} platform_words[] = {
	{"pinterest", PLATFORM_PINTEREST},
	{"pin.it", PLATFORM_PINTEREST},
	{"facebook", PLATFORM_META},
	{"instagram", PLATFORM_META},
	{"tiktok", PLATFORM_TIKTOK},
};

static int platform_of_source(const char *source)
{
	static const struct {
		const char *word;
		enum platform_id platform;
	} whole[] = {{"fb", PLATFORM_META}, {"ig", PLATFORM_META}, {"meta", PLATFORM_META},
		{"tt", PLATFORM_TIKTOK}, {"pin", PLATFORM_PINTEREST}};
	for (size_t i = 0; i < TA_COUNT(platform_words); i++)
		if (strcasestr(source, platform_words[i].word))
			return (int)platform_words[i].platform;
	for (size_t i = 0; i < TA_COUNT(whole); i++)
		if (strcasecmp(source, whole[i].word) == 0)
			return (int)whole[i].platform;
	return -1;
}

/* A click id by itself names a source, and but for Meta's a paid medium. */
static const char *click_source(const struct event_click *c, struct visit *v)
{
	const struct {
		const char *id, *source, *medium;
	} ids[] = {
		{c->epik, "pinterest", "paid"},
		{c->ttclid, "tiktok", "paid"},
		{c->fbclid ? c->fbclid : c->fbc, "facebook", NULL},
		{c->gclid, "google", "cpc"},
		{c->gbraid, "google", "cpc"},
		{c->wbraid, "google", "cpc"},
		{c->msclkid, "bing", "cpc"},
		{c->li_fat_id, "linkedin", "paid"},
	};
	for (size_t i = 0; i < TA_COUNT(ids); i++)
		if (ids[i].id) {
			v->click = ids[i].id;
			v->medium = ids[i].medium;
			return ids[i].source;
		}
	return NULL;
}

static bool utm_told(const struct event_utm *u)
{
	return u->source || u->medium || u->campaign || u->id;
}

static void name_channel(struct visit *v, const struct event_click *c)
{
	struct channel_visit cv = {.source = v->source,
		.medium = v->medium,
		.campaign = v->campaign,
		.epik = c->epik,
		.ttclid = c->ttclid,
		.fbclid = c->fbclid || c->fbc};
	v->channel = channel_of(&cv);
	v->platform = v->source ? platform_of_source(v->source) : -1;
	if (c->epik)
		v->platform = PLATFORM_PINTEREST;
	else if (c->ttclid)
		v->platform = PLATFORM_TIKTOK;
	else if (v->platform < 0 && (c->fbclid || c->fbc))
		v->platform = PLATFORM_META;
}

/* From what the link itself says: UTM parameters, else a click id. */
static bool by_link(struct visit *v, const struct event_utm *u, const struct event_click *c)
{
	const char *source = click_source(c, v);
	if (!source && !utm_told(u))
		return false;
	v->touch = true;
	v->source = u->source ? u->source : source;
	if (u->source || u->medium)
		v->medium = u->medium;
	v->campaign = u->campaign ? u->campaign : u->id;
	name_channel(v, c);
	return true;
}

static bool by_referrer(struct arena *a, const struct event *ev, struct visit *v)
{
	const char *from = host_of(a, ev->referrer), *own = host_of(a, ev->url);
	static const struct event_click no_click = {0};
	if (!from || (own && strcmp(from, own) == 0))
		return false;
	v->touch = true;
	v->source = channel_source(a, from);
	v->medium = channel_searched(v->source) ? "organic" : "referral";
	name_channel(v, &no_click);
	return true;
}

/* "fb.1.<milliseconds>.…": when Meta's click was. */
static int64_t click_us(const struct event_click *c, int64_t otherwise)
{
	const char *ms = c->fbc ? strchr(c->fbc, '.') : NULL;
	ms = ms ? strchr(ms + 1, '.') : NULL;
	int64_t us = ms ? strtoll(ms + 1, NULL, 10) * 1000 : 0;
	return us > 0 && us <= otherwise ? us : otherwise;
}

void visit_of(struct arena *a, const struct event *ev, struct visit *out)
{
	struct event_click click = {0};
	struct event_utm utm = {0};
	const char *ids[AD_IDS] = {NULL};
	bool order = ev->name == EV_PURCHASE;
	*out = (struct visit){.platform = -1, .at_us = ev->time_s * US_PER_S, .late = order};
	if (ev->url) {
		click_from_url(a, ev->url, &click, &utm);
		read_ids(a, ev->url, ids);
	} else {
		utm = ev->utm;
	}
	bool found = by_link(out, &utm, &click) || by_referrer(a, ev, out);
	if (!found && order && by_link(out, &ev->utm, &ev->click)) {
		found = true;
		out->at_us = click_us(&ev->click, out->at_us);
	}
	if (!found && ev->name == EV_PAGE_VIEW && ev->url && !ev->referrer) {
		out->touch = true;
		out->channel = CHANNEL_DIRECT;
	}
	const char *utm_id = utm.id ? utm.id : ev->utm.id;
	out->campaign_id = ids[CAMPAIGN]                   ? ids[CAMPAIGN]
			   : found && is_id(utm_id)        ? utm_id
			   : found && is_id(out->campaign) ? out->campaign
							   : NULL;
	out->ad_group_id = ids[AD_GROUP];
	out->ad_id = ids[AD];
	out->pin_id = ids[PIN];
}

static size_t add_key(struct visit_key *keys, size_t n, char kind, const char *value)
{
	uint8_t hash[SHA256_LEN];
	struct buf text = BUF_INIT(4096);
	if (!value || n >= VISIT_KEYS)
		return n;
	buf_addc(&text, kind);
	buf_adds(&text, value);
	crypto_sha256(buf_str(&text), text.len, hash);
	memcpy(keys[n].b, hash, VISIT_KEY_LEN);
	buf_release(&text);
	return n + 1;
}

size_t visit_keys(const struct event *ev, struct visit_key keys[VISIT_KEYS])
{
	char hex[65];
	size_t n = add_key(keys, 0, 'x', ev->user.external_id);
	/* A shop may give the hash where another source gives the address: both are the same
	 * person. */
	if (identity_hash(PLATFORM_META, ID_EMAIL, &ev->user, hex))
		n = add_key(keys, n, 'e', hex);
	if (identity_hash(PLATFORM_META, ID_PHONE, &ev->user, hex))
		n = add_key(keys, n, 'p', hex);
	n = add_key(keys, n, 'b', ev->click.fbp);
	n = add_key(keys, n, 't', ev->click.ttp);
	n = add_key(keys, n, 'k', ev->click.epik);
	n = add_key(keys, n, 'f', ev->click.fbclid);
	n = add_key(keys, n, 'c', ev->click.ttclid);
	n = add_key(keys, n, 'g', ev->click.gclid);
	return add_key(keys, n, 'o', ev->order.checkout_token);
}
