/* What an event tells of how its person came to the shop: the traffic source it landed from, the
 * campaign behind that as far as its link says, and the keys by which other events of the same
 * person are known. Pure. */
#ifndef TA_VISIT_H
#define TA_VISIT_H

#include "src/channel.h"
#include "src/event.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

/* Strings in the arena or the event's; NULL: not told. */
struct visit {
	bool touch;    /* a visit began here; else the event tells of none */
	bool late;     /* told by an order: the visit was at or before at_us */
	int64_t at_us; /* of the visit */
	enum channel channel;
	int platform; /* enum platform_id whose ad or link it came from, -1: none of ours */
	const char *source, *medium, *campaign; /* as GA4 names them; campaign: its name or id */
	const char *campaign_id, *ad_group_id, *ad_id,
		*pin_id;   /* digits, out of the link's macros */
	const char *click; /* the click id that came with it */
};

/* Reads the event's landing page and referrer. Internal links (the referrer is the page's own host)
 * are no visit; a page view without any referrer is a direct one. Click ids in cookies stay for
 * weeks and are no visit either, but an order that has nothing else tells of its click by them,
 * Meta's with the moment of the click.
 *
 * Campaigns: an id out of utm_id or one of the platforms' own parameters first, then the name in
 * utm_campaign (CONTRACTS 6); macros that nobody filled in count as absent. */
void visit_of(struct arena *a, const struct event *ev, struct visit *out);

/* Keys of the person, 16 bytes of SHA-256 over kind and value, the surest first: customer id,
 * e-mail, phone, the first-party ids of browsers, click ids. The same person of another store has
 * the same ones: keep stores apart. */
#define VISIT_KEYS    10
#define VISIT_KEY_LEN 16
struct visit_key {
	uint8_t b[VISIT_KEY_LEN];
};
size_t visit_keys(const struct event *ev, struct visit_key keys[VISIT_KEYS]);

#endif
