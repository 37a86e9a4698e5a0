#include "src/circuit.h"

#include "src/attr.h"
#include "src/backoff.h"
#include "src/clock.h"

/* Longer than any pause: the wall clock was set back meanwhile. */
#define LONGEST_US (BACKOFF_MAX_US + CIRCUIT_MAX_US)

enum circuit_state circuit_state(const struct circuit *c, int64_t now_us)
{
	if (!c->until_us)
		return CIRCUIT_CLOSED;
	bool over = now_us >= c->until_us || c->until_us - now_us > LONGEST_US;
	return over ? CIRCUIT_HALF_OPEN : CIRCUIT_OPEN;
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

void circuit_ok(struct circuit *c)
{
	*c = (struct circuit){0};
}

void circuit_failed(struct circuit *c, int64_t now_us, int64_t asked_s, uint32_t random)
{
	c->failures++;
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
