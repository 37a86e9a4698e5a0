/* Sources: how the bytes of one receipt become events. All of it is pure: bytes and settings in,
 * events or a typed failure out; the router owns every decision that needs the database. */
#ifndef NET_IN_H
#define NET_IN_H

#include "src/event.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

/* Which amount of an order is its value (store setting `basis`). */
enum in_basis {
	BASIS_TOTAL,    /* total_price */
	BASIS_SUBTOTAL, /* subtotal_price: after discounts, before shipping */
	BASIS_NET,      /* total_price less tax and shipping */
};
/* BASIS_TOTAL for "total", NULL and words that are none. */
enum in_basis in_basis_of(const char *word);

/* A store's settings as a source sees them. Borrowed. */
struct in_store {
	const char *domain; /* "example.myshopify.com", NULL if not known */
	enum in_basis basis;
};

/* One receipt. Borrowed. */
struct in_receipt {
	enum source source;
	const char *topic; /* shopify; not used by track */
	const char *body;
	size_t len;
	int64_t received_us;
};

/* One event with what makes it unique: book key = (store uid, event_word(ev.name), natural_id).
 * purchase and cancel: order id; refund: refund id; order_updated: order id:updated_at;
 * initiate_checkout: token; checkout_updated: token:updated_at; browser and server:
 * source:event_id. */
struct in_event {
	struct event ev;
	const char *natural_id;
};

/* Filled by a source; strings in the arena. */
struct in_result {
	enum failure failure; /* FAILURE_NONE: events and flags are valid */
	const char *detail;   /* of the failure: what and where; NULL else */
	struct in_event *events;
	size_t nevents;   /* 0..2 */
	bool uninstalled; /* app/uninstalled: no event, the store's state changes */

	/* orders/create, paid, updated: events[0] is the purchase if the store's purchase moment
	 * and what came before say so; orders/updated adds order_updated as events[1]. Track:
	 * the event is a purchase, and only order_id of what follows is filled. */
	bool purchase;
	bool paid;       /* financial_status is "paid" */
	bool pos, draft; /* source_name is pos, shopify_draft_order; test is in the event */
	const char *order_id;
	const char *financial_status;
	const char *checkout_token, *cart_token;
	const char *ta_event_id; /* of the right form; whether it is free is the router's to say */
	int64_t updated_us;      /* updated_at: guards the order's state; 0 unknown */

	/* refunds/create: the sum of successful refund transactions. Without a currency of their
	 * own the refund takes its order's: needs_currency is true, the event has no value yet,
	 * and in_refund_value() gives it one. */
	bool needs_currency;
	int64_t refund_e4; /* in 10^-4 of the currency's unit */
};

/* Sets the value of a refund event that needs_currency. Errors: TA_INVALID (not ISO 4217, finer
 * than the currency). */
TA_MUST enum ta_rc in_refund_value(struct in_result *r, const char *currency, struct ta_err *err);

/* r->body of a Shopify webhook (INTERFACES 4). Returns out->failure. */
enum failure in_shopify(struct arena *a, const struct in_receipt *r, const struct in_store *store,
	struct in_result *out);
/* One stored item of /event/track or of a custom shop (net/in_track.h made it). */
enum failure in_track(struct arena *a, const struct in_receipt *r, const struct in_store *store,
	struct in_result *out);
/* The one that r->source asks for. */
enum failure in_normalise(struct arena *a, const struct in_receipt *r, const struct in_store *store,
	struct in_result *out);

#endif
