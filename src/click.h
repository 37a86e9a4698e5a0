/* Where a visit came from: query strings, UTM parameters, click ids and Meta's cookies.
 * CONTRACTS 2.3 and 6. Values are case-sensitive and percent-decoded once; a value of more than
 * 1 KiB, one that is not UTF-8, one of blanks and a macro the ad platform did not fill in are
 * absent. */
#ifndef TA_CLICK_H
#define TA_CLICK_H

#include "src/event.h"

#include <stddef.h>

struct arena;

#define CLICK_MAX 1024

/* Walks the parameters of a URL, a path with query, or a bare query ("?a=b&c", "a=b"); ends at
 * the fragment. */
struct query_iter {
	const char *p; /* rest, NULL at the end */
};
struct query_param {
	const char *name, *value; /* borrowed from the URL, still encoded */
	size_t name_len, value_len;
};
struct query_iter query_begin(const char *url);
TA_MUST bool query_next(struct query_iter *it, struct query_param *out);
/* Percent- and plus-decoded once, in the arena; NULL when empty, longer than CLICK_MAX, not
 * UTF-8, or with control characters. A percent sign without two digits stays as it is. */
const char *query_decode(struct arena *a, const char *p, size_t n);

/* True for "{campaignid}", "{{ad.id}}", "__CID__": an ad platform's macro nobody filled in. */
bool click_is_macro(const char *value);
/* fb.<index>.<creation ms>.<rest>[.<appendix of 2 or 8 characters>]: four or five segments. */
bool click_is_fbc(const char *value);
/* As click_is_fbc, with digits as the fourth segment. */
bool click_is_fbp(const char *value);
/* "fb.1.<landed ms>.<fbclid>". */
const char *click_fbc(struct arena *a, const char *fbclid, int64_t landed_ms);

/* Fills what is still absent in click and utm from the parameters of url (may be NULL); of equal
 * names the first counts, names in any case; pclid is another name of epik. */
void click_from_url(
	struct arena *a, const char *url, struct event_click *click, struct event_utm *utm);
/* One named value from a shop's note attributes or a browser's cookies ("_epik", "epik",
 * "_fbc", "ttclid", …): fills what is absent. Not decoded again. False when the name is none
 * of ours. */
bool click_set(struct arena *a, const char *name, const char *value, struct event_click *click,
	struct event_utm *utm);
/* Drops an fbc or fbp of wrong form with a warning and makes fbc from fbclid when there is none.
 * url_is_newer: fbclid is of this very page view, so that one that differs from the click in fbc
 * is a newer click and fbc is made anew; a shop's order is of a page long ago. landed_ms must
 * not change between reports of one event. */
void click_finish(struct arena *a, struct event *ev, int64_t landed_ms, bool url_is_newer);

#endif
