#include "src/burn.h"

#include "src/stat.h"

#define ALPHA 0.02 /* two-sided: a lower end that 99 % stay above */

#define WINDOWS(level, factor, long_min, short_min) {level, factor, long_min, short_min},
const struct burn_rule burn_rules[] = {BURN_RULES(WINDOWS)};
#undef WINDOWS
const size_t burn_nrules = sizeof(burn_rules) / sizeof(burn_rules[0]);

static bool proven(struct burn_count c, double most)
{
	return c.failed >= BURN_MIN_FAILURES && stat_wilson(c.failed, c.n, ALPHA).lo > most;
}

static bool goes_on(struct burn_count c, double most)
{
	return c.n > 0 && (double)c.failed > most * (double)c.n;
}

struct burn_verdict burn_judge(double objective, burn_window window, const void *data)
{
	for (size_t i = 0; i < burn_nrules; i++) {
		const struct burn_rule *r = &burn_rules[i];
		double most = r->factor * (1 - objective);
		struct burn_count c = window(data, r->long_min);
		if (proven(c, most) && goes_on(window(data, r->short_min), most))
			return (struct burn_verdict){r->level, r, c};
	}
	return (struct burn_verdict){.level = BURN_NONE};
}
