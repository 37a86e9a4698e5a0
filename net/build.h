/* What the destinations' builders share: the facts of an event in the form every platform wants
 * them, the checks every platform makes, the frame of a request. */
#ifndef NET_BUILD_H
#define NET_BUILD_H

#include "net/dest.h"
#include "src/identity.h"
#include "src/jsonw.h"

/* The names Pinterest and Meta give to what identifies a person, in the order we write them. */
#define BUILD_IDENTITIES 11
struct build_identity {
	const char *name;
	enum identity_key key;
};
extern const struct build_identity build_identities[BUILD_IDENTITIES];

/* The hash a platform takes, NULL when there is none; hex holds it. */
const char *build_hash(
	enum platform_id p, enum identity_key key, const struct event_user *u, char hex[65]);

/* Closes what was opened when the buffer's length was `mark`; an empty one is taken back whole. */
void build_close(struct jsonw *w, size_t mark, char bracket);

/* Is the amount known, in a currency that exists, and not negative? */
bool build_amount(bool has, struct money m);
/* The currency to state: the value's, else the given one; NULL when unknown or not ISO 4217. */
const char *build_currency(const struct event *ev);
/* The event's name at the platform: a rule's, else the pixel's own, else the platform's; NULL: it
 * takes none. */
const char *build_name(enum platform_id p, const struct event *ev, const struct dest_config *cfg);
/* The item's id by the pixel's setting, in the catalogue's words where the pixel names them; NULL
 * when it has none of that kind, the pixel leaves it out, or nothing of it is left (quantity 0). A
 * bare given id (browser, API) serves every setting. */
const char *build_item_id(const struct event_item *it, const struct dest_config *cfg);
/* How many pieces were sold: the sum of quantities, never the number of lines. */
int64_t build_num_items(const struct event *ev);
/* An http or https URL, else NULL. */
const char *build_url(const char *url);
/* An IPv4 or IPv6 address in text form, else NULL. */
const char *build_ip(const char *ip);
/* Reads a cookie of Meta's (fbc, fbp): fb.<index>.<13 digits of ms>.<id>[.<appendix>]. Returns
 * when it was made in Unix seconds, -1 when it is malformed (or NULL). */
int64_t build_fb_cookie(const char *cookie);

/* A mapped event, in the platform's time range, a purchase with value and currency. */
struct build_case {
	enum platform_id platform;
	const struct event *ev;
	const struct dest_config *cfg;
	int64_t now_s;
};
enum reason build_check(const struct build_case *c, struct buf *why);

/* What the platform gets of an event to match it by: a bit for each enum coverage_key. A value that
 * cannot be sent (no e-mail address, a malformed cookie) is not there. */
int build_keys(const struct build_case *c, const char *wire_id);

/* Appends the text with everything but letters, digits, - and _ percent-encoded. */
void build_escape(struct buf *b, const char *text);
/* "prefix" + token, without bytes a header cannot carry; NULL when token is NULL. */
const char *build_token_header(struct arena *a, const char *prefix, const char *token);
/* Starts a POST of JSON: method, headers, an empty body that holds n events. */
void build_request(struct dest_request *req, const struct buf *events, size_t n);
/* Writes "data":[…] with the n event objects. */
void build_events(struct jsonw *w, const struct buf *events, size_t n);

#endif
