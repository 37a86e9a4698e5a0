#include "src/circuit.h"

#include "src/attr.h"
#include "src/backoff.h"
#include "src/clock.h"

/* Longer than any pause: the wall clock was set back meanwhile. */
#define LONGEST_US (BACKOFF_MAX_US + CIRCUIT_MAX_US)

#define RAMP_FIRST   200 /* events in the first second */
#define RAMP_SECONDS 7   /* then 25,600 a second would follow: no limit */

enum circuit_state circuit_state(const struct circuit *c, int64_t now_us)
{
	if (c->forced_us)
		return now_us < c->forced_us ? CIRCUIT_OPEN : CIRCUIT_HALF_OPEN;
	if (!c->until_us)
		return CIRCUIT_CLOSED;
	bool over = now_us >= c->until_us || c->until_us - now_us > LONGEST_US;
	return over ? CIRCUIT_HALF_OPEN : CIRCUIT_OPEN;
}

const char *circuit_state_word(enum circuit_state s)
{
	return s == CIRCUIT_CLOSED ? "closed" : s == CIRCUIT_OPEN ? "open" : "half-open";
}

int64_t circuit_until_us(const struct circuit *c, int64_t now_us)
{
	if (circuit_state(c, now_us) != CIRCUIT_OPEN)
		return 0;
	return c->forced_us ? c->forced_us : c->until_us;
}

int circuit_slots(const struct circuit *c, int64_t now_us, int most)
{
	switch (circuit_state(c, now_us)) {
	case CIRCUIT_OPEN:
		return 0;
	case CIRCUIT_HALF_OPEN:
		return 1;
	case CIRCUIT_CLOSED:
		break;
	}
	return most;
}

void circuit_ok(struct circuit *c, int64_t now_us)
{
	*c = (struct circuit){.forced_us = c->forced_us > now_us ? c->forced_us : 0};
}

void circuit_failed(struct circuit *c, int64_t now_us, int64_t asked_s, uint32_t random)
{
	c->failures++;
	if (c->forced_us > now_us)
		return;
	if (c->forced_us) { /* the probe behind a hand's pause */
		c->forced_us = 0;
		c->until_us = now_us;
	}
	if (c->failures < CIRCUIT_FAILURES && asked_s <= 0 && !c->until_us)
		return;
	/* Exchanges that were under way when it opened tell nothing new. */
	if (circuit_state(c, now_us) == CIRCUIT_OPEN && asked_s <= 0)
		return;
	int64_t pause = CIRCUIT_FIRST_US;
	for (int i = 0; i < c->opened && pause < CIRCUIT_MAX_US; i++)
		pause *= 2;
	pause = TA_MIN(pause, CIRCUIT_MAX_US);
	pause = pause / 2 + (pause / 2) * (int64_t)(random >> 1) / INT32_MAX;
	int64_t asked = TA_MIN(TA_MAX(asked_s, 0), BACKOFF_MAX_US / US_PER_S) * US_PER_S;
	c->opened++;
	c->until_us = TA_MAX(c->until_us, now_us + TA_MAX(pause, asked));
}

void circuit_force(struct circuit *c, int64_t until_us)
{
	c->forced_us = until_us;
}

void circuit_probe(struct circuit *c, int64_t now_us)
{
	*c = (struct circuit){.failures = c->failures, .until_us = now_us};
}

int64_t circuit_ramp(int64_t since_us)
{
	int64_t s = TA_MAX(since_us, 0) / US_PER_S;
	return s < RAMP_SECONDS ? (int64_t)RAMP_FIRST << s : 0;
}

int circuit_ramp_slots(int64_t since_us, int most)
{
	int slots = since_us < 2 * US_PER_S ? 1 : since_us < 4 * US_PER_S ? 2 : most;
	return TA_MIN(slots, most);
}
