/* The traffic of `trackai demo`: visitors of invented shops whose browsers send events and whose
 * orders come as signed Shopify webhooks, through the real listener. Everything follows from the
 * seed and the start time: names, baskets, click ids, and what goes wrong now and then (repeats,
 * test and point-of-sale orders, buyers nobody can be matched to, a bad signature). */
#ifndef NET_PLAYER_H
#define NET_PLAYER_H

#include "src/buf.h"
#include "src/err.h"

#include <stddef.h>
#include <stdint.h>

/* The invented shops. Static. */
struct player_shop {
	const char *name, *domain, *currency, *timezone, *country;
	const char *locale;
	int offset_min;              /* of the shop's clock from UTC, as in its timestamps */
	int first_product, products; /* rows of the catalogue */
	int weight;                  /* share of the visitors */
};

#define PLAYER_SHOPS 5
extern const struct player_shop player_shops[PLAYER_SHOPS];

/* What a shop signs and authorises with. Borrowed. */
struct player_access {
	const char *webhook_secret;
	const char *public_key; /* of the browser */
	const char *server_key; /* scope track */
};

struct player_options {
	const char *base; /* "http://127.0.0.1:8090" */
	struct player_access access[PLAYER_SHOPS];
	double rate; /* posts a second */
	int burst_s; /* begins with so many seconds' worth at full speed */
	uint64_t seed;
};

struct player;

struct player *player_new(const struct player_options *o, int64_t start_us);
void player_free(struct player *p);

#define PLAYER_HEADERS 8

/* One request to the listener. */
struct player_post {
	int shop;
	char path[160]; /* behind the base, with the arguments */
	char headers[PLAYER_HEADERS][192];
	int nheaders;
	const char *kind; /* "orders/create", "page_view", …; static */
	bool bad_signature, repeat;
	struct buf body;
};

/* Writes the next request as of now_us. Pure but for the player's own state. post->body must be
 * initialised; it is cleared first. */
void player_next(struct player *p, int64_t now_us, struct player_post *post);

/* Plays until SIGTERM or SIGINT: the burst, then `rate` posts a second over kept connections.
 * What the listener did not answer, or answered with 5xx, is sent again as shops do. Errors:
 * TA_IO. */
TA_MUST enum ta_rc player_run(const struct player_options *o, struct ta_err *err);

#endif
