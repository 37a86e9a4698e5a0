#include "net/limit.h"

#include "src/clock.h"
#include "src/err.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SETS 8192
#define WAYS 4

struct bucket {
	uint64_t tag; /* 0: free */
	int64_t filled_us, day_start_us;
	double tokens;
	uint32_t today;
};

struct limits {
	struct bucket address[SETS][WAYS];
	struct bucket store[SETS / 8][WAYS];
};

struct limits *limits_new(void)
{
	return ta_alloc(sizeof(struct limits));
}

void limits_free(struct limits *l)
{
	free(l);
}

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * UINT64_C(0x100000001b3);
	return h;
}

static uint64_t tag_of(int32_t store_id, const char *address)
{
	uint64_t h = mix(UINT64_C(0xcbf29ce484222325), &store_id, sizeof(store_id));
	uint8_t v6[16];
	if (inet_pton(AF_INET6, address, v6) == 1)
		h = mix(h, v6, 8);
	else
		h = mix(h, address, strlen(address));
	return h | 1;
}

/* The bucket of a tag; a new one is full and takes the place of the one filled longest ago. */
static struct bucket *find(struct bucket *set, uint64_t tag, int64_t now_us, double burst)
{
	struct bucket *oldest = set;
	for (int i = 0; i < WAYS; i++) {
		if (set[i].tag == tag)
			return &set[i];
		if (!set[i].tag || (oldest->tag && set[i].filled_us < oldest->filled_us))
			oldest = &set[i];
	}
	*oldest = (struct bucket){tag, now_us, now_us, burst, 0};
	return oldest;
}

static void refill(struct bucket *b, int64_t now_us, double rate, double burst)
{
	double gone_s = (double)(now_us - b->filled_us) / 1e6;
	if (gone_s > 0)
		b->tokens = b->tokens + gone_s * rate < burst ? b->tokens + gone_s * rate : burst;
	b->filled_us = now_us;
	if (now_us - b->day_start_us >= US_PER_DAY) {
		b->day_start_us = now_us;
		b->today = 0;
	}
}

static int wait_s(double missing, double rate)
{
	int s = (int)(missing / rate) + 1;
	return s > 0 ? s : 1;
}

int limits_take(struct limits *l, int32_t store_id, const char *address, size_t n, int64_t now_us)
{
	uint64_t ta = tag_of(store_id, address), ts = tag_of(store_id, "");
	struct bucket *a = find(l->address[(ta >> 20) % SETS], ta, now_us, LIMIT_ADDRESS_BURST);
	struct bucket *s = find(l->store[(ts >> 20) % (SETS / 8)], ts, now_us, LIMIT_STORE_BURST);
	double want = (double)n;
	refill(a, now_us, LIMIT_ADDRESS_RATE, LIMIT_ADDRESS_BURST);
	refill(s, now_us, LIMIT_STORE_RATE, LIMIT_STORE_BURST);
	if (a->today + n > LIMIT_ADDRESS_DAY)
		return (int)((a->day_start_us + US_PER_DAY - now_us) / US_PER_S) + 1;
	if (a->tokens < want)
		return wait_s(want - a->tokens, LIMIT_ADDRESS_RATE);
	if (s->tokens < want)
		return wait_s(want - s->tokens, LIMIT_STORE_RATE);
	a->tokens -= want;
	s->tokens -= want;
	a->today += (uint32_t)n;
	return 0;
}
