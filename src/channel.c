#include "src/channel.h"

#include "src/arena.h"
#include "src/attr.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	bool paid;
} channels[] = {
#define CHANNEL(name, word, paid) {word, paid},
#include "src/channels.def"
#undef CHANNEL
};

enum category { OTHER, SEARCH, SHOPPING, SOCIAL, VIDEO };

struct site {
	const char *name;
	enum category category;
};

static const struct site sites[] = {
#define SOURCE(name, category) {name, category},
#include "src/sources.def"
#undef SOURCE
};

/* Sites where people ask a model; ours. */
static const char *const assistants[] = {"chatgpt.com", "chat.openai.com", "chatgpt", "openai",
	"perplexity.ai", "www.perplexity.ai", "perplexity", "gemini.google.com", "gemini",
	"copilot.microsoft.com", "copilot", "claude.ai", "claude", "chat.deepseek.com", "deepseek",
	"meta.ai", "grok.com", "chat.mistral.ai", "you.com"};

static int by_name(const void *key, const void *site)
{
	return strcasecmp(key, ((const struct site *)site)->name);
}

static enum category category_of(const char *source)
{
	const struct site *s = bsearch(source, sites, TA_COUNT(sites), sizeof(*sites), by_name);
	return s ? s->category : OTHER;
}

const char *channel_source(struct arena *a, const char *host)
{
	/* the label before a suffix of one part, or of two as in co.uk and com.br */
	const char *end = strrchr(host, '.'), *from = end;
	if (category_of(host) != OTHER || !end)
		return host;
	for (int part = 0; part < 2; part++) {
		for (from = end; from > host && from[-1] != '.'; from--)
			;
		if (end - from > 3 || from == host)
			break;
		end = from - 1;
	}
	const char *label = arena_strndup(a, from, (size_t)(end - from));
	return end - from > 3 && category_of(label) != OTHER ? label : host;
}

bool channel_searched(const char *source)
{
	return category_of(source) == SEARCH;
}

static bool any_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(text, words[i]) == 0)
			return true;
	return false;
}
#define ANY_OF(text, ...)                                                                          \
	any_of(text, (const char *const[]){__VA_ARGS__},                                           \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* ^(.*cp.*|ppc|retargeting|paid.*)$ */
static bool medium_paid(const char *medium)
{
	return strcasestr(medium, "cp") || ANY_OF(medium, "ppc", "retargeting") ||
	       strncasecmp(medium, "paid", 4) == 0;
}

/* ^(.*(([^a-df-z]|^)shop|shopping).*)$: "shop" at the beginning or behind an "e" or what is no
 * letter, or "shopping" anywhere. */
static bool campaign_shop(const char *campaign)
{
	if (strcasestr(campaign, "shopping"))
		return true;
	for (const char *p = campaign; (p = strcasestr(p, "shop")); p++) {
		char before = p > campaign ? p[-1] : '-';
		bool letter = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z');
		if (!letter || before == 'e' || before == 'E')
			return true;
	}
	return false;
}

static bool is_direct(const char *source, const char *medium)
{
	if (!*source && !*medium)
		return true;
	return ANY_OF(source, "(direct)") && ANY_OF(medium, "", "(none)", "(not set)");
}

static enum channel paid_channel(enum category site, bool shop)
{
	static const enum channel by_site[] = {[OTHER] = CHANNEL_PAID_OTHER,
		[SEARCH] = CHANNEL_PAID_SEARCH,
		[SHOPPING] = CHANNEL_PAID_SHOPPING,
		[SOCIAL] = CHANNEL_PAID_SOCIAL,
		[VIDEO] = CHANNEL_PAID_VIDEO};
	return shop ? CHANNEL_PAID_SHOPPING : by_site[site];
}

static bool is_push(const char *source, const char *medium)
{
	size_t n = strlen(medium);
	return (n >= 4 && strcasecmp(medium + n - 4, "push") == 0) ||
	       strcasestr(medium, "mobile") || strcasestr(medium, "notification") ||
	       ANY_OF(source, "firebase");
}

static enum channel unpaid_channel(
	const char *source, const char *medium, enum category site, bool shop)
{
	if (shop)
		return CHANNEL_ORGANIC_SHOPPING;
	if (site == SOCIAL || ANY_OF(medium, "social", "social-network", "social-media", "sm",
				      "social network", "social media"))
		return CHANNEL_ORGANIC_SOCIAL;
	if (site == VIDEO || strcasestr(medium, "video"))
		return CHANNEL_ORGANIC_VIDEO;
	if (site == SEARCH || ANY_OF(medium, "organic"))
		return CHANNEL_ORGANIC_SEARCH;
	if (ANY_OF(medium, "referral", "app", "link"))
		return CHANNEL_REFERRAL;
	if (ANY_OF(source, "email", "e-mail", "e_mail", "e mail") ||
		ANY_OF(medium, "email", "e-mail", "e_mail", "e mail"))
		return CHANNEL_EMAIL;
	if (ANY_OF(medium, "affiliate"))
		return CHANNEL_AFFILIATES;
	if (ANY_OF(medium, "audio"))
		return CHANNEL_AUDIO;
	if (ANY_OF(source, "sms") || ANY_OF(medium, "sms"))
		return CHANNEL_SMS;
	return is_push(source, medium) ? CHANNEL_MOBILE_PUSH : CHANNEL_UNASSIGNED;
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

enum channel channel_ga4(const struct channel_visit *v)
{
	const char *source = or_empty(v->source), *medium = or_empty(v->medium);
	const char *campaign = or_empty(v->campaign);
	if (is_direct(source, medium))
		return CHANNEL_DIRECT;
	if (strcasestr(campaign, "cross-network"))
		return CHANNEL_CROSS_NETWORK;
	enum category site = category_of(source);
	bool shop = site == SHOPPING || campaign_shop(campaign);
	enum channel paid = medium_paid(medium) ? paid_channel(site, shop) : CHANNEL_UNASSIGNED;
	if (paid != CHANNEL_UNASSIGNED && paid != CHANNEL_PAID_OTHER)
		return paid;
	if (ANY_OF(medium, "display", "banner", "expandable", "interstitial", "cpm"))
		return CHANNEL_DISPLAY;
	if (paid == CHANNEL_PAID_OTHER)
		return paid;
	return unpaid_channel(source, medium, site, shop);
}

enum channel channel_of(const struct channel_visit *v)
{
	struct channel_visit ours = *v;
	bool named = v->medium && *v->medium;
	if (v->epik || v->ttclid || (v->fbclid && !named))
		return CHANNEL_PAID_SOCIAL;
	if (v->source && ANY_OF(v->source, "pin.it", "www.pin.it"))
		ours.source = "pinterest.com";
	enum channel c = channel_ga4(&ours);
	if ((c == CHANNEL_REFERRAL || c == CHANNEL_UNASSIGNED) && v->source &&
		any_of(v->source, assistants, TA_COUNT(assistants)))
		return CHANNEL_AI_ASSISTANT;
	return c;
}

const char *channel_word(int channel)
{
	return channel >= 0 && channel < CHANNEL_COUNT ? channels[channel].word : "?";
}

int channel_named(const char *word)
{
	for (int i = 0; i < CHANNEL_COUNT; i++)
		if (strcasecmp(channels[i].word, word) == 0)
			return i;
	return -1;
}

bool channel_direct(const char *name)
{
	return ANY_OF(name, "direct", "(direct)");
}

bool channel_paid(const char *name)
{
	const char *slash = strrchr(name, '/');
	int known = channel_named(name);
	if (known >= 0)
		return channels[known].paid;
	if (strncasecmp(name, "Paid ", 5) == 0)
		return true;
	return slash && ANY_OF(slash + 1, "paid", "cpc", "ppc", "cpm", "cpv", "cpa", "paidsocial",
				"paid_social");
}
