/* An event: one normalised thing that happened at a store. Sources (net/in_*.c) fill this struct,
 * event_write() turns it into the stored document (compact canonical JSON, the names of
 * INTERFACES 3 and 4), event_read() reads one back. Strings are NUL-terminated UTF-8 in the
 * caller's arena; NULL = absent (never ""). */
#ifndef TA_EVENT_H
#define TA_EVENT_H

#include "src/err.h"
#include "src/money.h"
#include "src/words.h"

#include <stdint.h>

struct arena;
struct buf;

enum consent { CONSENT_UNKNOWN, CONSENT_GRANTED, CONSENT_DENIED };

struct event_item {
	const char *id; /* first present of variant_id, product_id, sku; or the given id */
	const char *product_id, *variant_id, *sku;
	const char *name, *brand, *category;
	bool has_price;
	struct money price; /* net unit price after line discounts, the event's currency */
	int64_t quantity;
};

/* As given, trimmed, not hashed; a value of 64 hex digits is taken as already hashed
 * (lower-cased). Public keys cannot give hashes. */
struct event_user {
	const char *email; /* trimmed, lower case, has an @ */
	const char *phone; /* digits with country calling code, no plus: "15551234567" */
	const char *external_id;
	const char *first_name, *last_name, *city, *state, *zip, *country; /* country ISO-2 */
	const char *birthdate, *gender;                                    /* YYYYMMDD; f, m, n */
	const char *ip, *user_agent;
};

struct event_click {
	const char *epik, *fbclid, *fbc, *fbp, *ttclid, *ttp;
	const char *gclid, *gbraid, *wbraid, *msclkid, *li_fat_id;
};

struct event_utm {
	const char *source, *medium, *campaign, *term, *content, *id;
};

struct event_order {
	const char *id;   /* the shop's order id; for refunds the order refunded */
	const char *name; /* "#1001" */
	const char *financial_status;
	const char *source_name; /* web, pos, shopify_draft_order, … */
	const char *refund_id;
	const char *checkout_token, *cart_token;
	int64_t updated_s; /* updated_at, 0 if absent */
	int64_t cancelled_s;
	bool test;
};

struct event {
	enum event_name name;
	const char *custom_name; /* given name of EV_CUSTOM */
	const char *sent_as;     /* the platform's name that a rule gave it; in no document */
	enum source source;
	const char *topic;    /* shopify topic, NULL else */
	const char *event_id; /* as given by browser or API; ta_event_id of an order */
	int64_t time_s;       /* when it happened, Unix seconds */
	const char *url, *referrer;
	bool has_value;
	struct money value;
	const char *currency; /* given currency even when there is no value */
	struct event_item *items;
	size_t nitems;
	struct event_user user;
	struct event_click click;
	struct event_utm utm;
	struct event_order order;
	enum consent consent;
	bool test;             /* test traffic: orders with test=true, or asked by a server key */
	const char *language;  /* ISO 639-1 */
	const char *search;    /* query string of a search */
	const char *custom;    /* compact JSON object of the given `custom`, NULL */
	const char **warnings; /* what was left out and why, half sentences */
	size_t nwarnings;
};

/* Sum of quantities. */
int64_t event_num_items(const struct event *ev);
/* Appends a warning (copied into the arena). */
void event_warn(struct arena *a, struct event *ev, const char *fmt, ...) TA_PRINTF(3, 4);

/* A copy whose strings and lists live in the arena, and nothing else: what reading a document
 * leaves behind besides is several times as much. */
void event_copy(struct arena *a, const struct event *from, struct event *to);

/* Appends the document; deterministic: same event, same bytes. */
void event_write(struct buf *b, const struct event *ev);
/* Reads a document. Errors: TA_PROTO (not a document of a known version). */
TA_MUST enum ta_rc event_read(
	struct arena *a, const char *doc, size_t len, struct event *ev, struct ta_err *err);

#endif
