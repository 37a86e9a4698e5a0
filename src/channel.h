/* Marketing channels: the default channel group of Google Analytics 4, from a visit's source,
 * medium and campaign, and our additions to it. The first definition that fits wins; case does not
 * matter. Definitions after Google's page as the dbt-ga4 package has them, quirks included (an
 * e-mail campaign whose name has "shop" in it is Organic Shopping). */
#ifndef TA_CHANNEL_H
#define TA_CHANNEL_H

#include <stdbool.h>

struct arena;

enum channel {
#define CHANNEL(name, word, paid) CHANNEL_##name,
#include "src/channels.def"
#undef CHANNEL
	CHANNEL_COUNT
};

/* A visit's traffic source; NULL or "" where it says nothing. */
struct channel_visit {
	const char *source, *medium, *campaign;
	/* Ours: the visit carries an ad click's id. epik and ttclid come with ad clicks only,
	 * fbclid with every link out of Facebook: it counts as paid where the visit names no
	 * medium. */
	bool epik, ttclid, fbclid;
};

/* As Google groups it; click ids are not looked at. */
enum channel channel_ga4(const struct channel_visit *v);
/* With our additions: a click id makes a visit paid social whatever its medium says, pin.it is
 * Pinterest, and assistants such as chatgpt.com are a group of their own. */
enum channel channel_of(const struct channel_visit *v);

/* The name under which a site is known as a source: a listed one as it is, "google.de" as "google"
 * when that is listed, else the host. In the arena or the host itself, which is in lower case and
 * without "www.". */
const char *channel_source(struct arena *a, const char *host);
bool channel_searched(const char *source); /* a search engine */

const char *channel_word(int channel); /* "?" outside */
int channel_named(const char *word);   /* in any case; -1 unknown */

/* Is this channel's name that of direct traffic, or of a paid one? "direct", "(direct)"; "x/paid",
 * "x/cpc" and the like, and groups such as "Paid Search". Case does not matter. */
bool channel_direct(const char *name);
bool channel_paid(const char *name);

#endif
