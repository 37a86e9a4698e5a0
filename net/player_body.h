/* Inside the player: visitors and the bodies that tell of them (net/player_shop.c). */
#ifndef NET_PLAYER_BODY_H
#define NET_PLAYER_BODY_H

#include "net/player.h"

struct player_product {
	const char *name, *sku, *category;
	int64_t minor; /* price, minor units of the shop's currency */
};

#define PLAYER_PRODUCTS 36
extern const struct player_product player_products[PLAYER_PRODUCTS];

enum player_source { FROM_PINTEREST, FROM_META, FROM_TIKTOK, FROM_GOOGLE, FROM_NOWHERE };

enum player_buyer {
	BUYER_KNOWN,
	BUYER_ANONYMOUS, /* nothing to match a person by */
	BUYER_TEST,
	BUYER_POS,
	BUYER_DRAFT,
};

/* One visitor of one shop, with the basket that may become an order. */
struct player_visit {
	int shop, person;
	enum player_source source;
	enum player_buyer kind;
	bool denied, has_event_id;
	const char *first, *last, *city, *zip, *province, *agent;
	char email[48], phone[24], ip[24];
	char click[96], fbc[128], fbp[48], ttp[28], token[33], event_id[32];
	int lines, product[3], quantity[3];
	int64_t order_id, checkout_us, ordered_us;
	int number; /* "#1001" */
};

struct player_order {
	const char *financial_status;
	bool cancelled;
	int64_t updated_us;
};

struct player_event {
	const char *name;
	char id[48];
	int64_t at_us;
	bool value, server;
};

uint64_t player_random(uint64_t *state);
int player_below(uint64_t *state, int n);
bool player_chance(uint64_t *state, int per_mille);

void player_visit_draw(struct player_visit *v, uint64_t *rnd, int64_t now_us);
int64_t player_total(const struct player_visit *v);
void player_write_order(struct buf *b, const struct player_visit *v, const struct player_order *o);
void player_write_checkout(struct buf *b, const struct player_visit *v, int64_t at_us);
void player_write_refund(struct buf *b, const struct player_visit *v, int64_t at_us);
void player_write_event(struct buf *b, const struct player_visit *v, const struct player_event *e);

#endif
