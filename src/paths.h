/* Journeys to an order, or to none: what the attribution models of kind DATA look at all at once,
 * and how files of them are read. */
#ifndef TA_PATHS_H
#define TA_PATHS_H

#include "src/arena.h"
#include "src/attrib.h"
#include "src/err.h"
#include "src/map.h"

/* Eligible touches, oldest first, with what came of them. */
struct path {
	const char *name;      /* of a case in a file, NULL */
	struct touch *touches; /* channel: index into path_set.channels */
	size_t n;
	double conversions, value,
		nulls; /* nulls: so often the same journey ended without an order */
	int64_t minor; /* of an exact set: the value in minor units */
};

struct path_set {
	struct arena *a;
	const char **channels;
	size_t nchannels, channels_size;
	struct map by_name;
	struct path *paths;
	size_t n, size;
	bool exact;   /* each path is one order whose value is integer minor units */
	bool untimed; /* the file gave no times: touches stand one day apart */
	struct attrib_rules rules;
};

#define PATHS_MAX_TOUCHES 500       /* of one path */
#define PATHS_MAX_BYTES   (1 << 28) /* of a file */

/* An empty set whose memory is the arena's. */
void paths_init(struct path_set *s, struct arena *a);
/* The channel's number; a new one is added. */
int32_t paths_channel(struct path_set *s, const char *name);
struct path *paths_add(struct path_set *s);

/* Reads text that begins with { as JSON: {"definition": {"click_lookback_h", "view_lookback_h",
 * "half_life_h"}, "cases": [{"name", "value_minor", "touches": [{"ch", "h", "type"}]}]} (h: hours
 * before the conversion), or {"paths": [{"path", "conversions", "value", "null"}]}. Anything else
 * is CSV with the header path,total_conversions,total_conversion_value,total_null; channels are
 * separated by " > ". Touches that are not eligible are left out. Errors: TA_INVALID with the line
 * or member; *s is then unusable. */
TA_MUST enum ta_rc paths_read(struct path_set *s, const char *text, size_t len, struct ta_err *err);

/* Credit per channel; in an exact set minor sums to the orders' values. */
struct credit {
	double conversions, value;
	int64_t minor;
	double removal; /* markov: removal effect */
	bool seen;      /* the channel stands in a path that counts */
};

struct attribution {
	enum attrib_model model;
	struct credit *credits;     /* one per channel */
	struct credit unattributed; /* orders whose touches get nothing, or have none */
	double p_conversion;        /* markov: of a journey */
	size_t states;              /* markov */
};

/* order: of the Markov chain, 1…PATHS_MAX_ORDER. *out lives in the set's arena. Errors: TA_LIMIT
 * (more channels than the model can take). */
#define PATHS_MAX_ORDER     3
#define PATHS_RATE_CHANNELS 12
TA_MUST enum ta_rc paths_attribute(const struct path_set *s, enum attrib_model m, int order,
	struct attribution *out, struct ta_err *err);

/* Parts of paths_attribute, in files of their own. */
TA_MUST enum ta_rc paths_markov(
	const struct path_set *s, int order, struct attribution *out, struct ta_err *err);
void paths_shapley_rate(const struct path_set *s, struct attribution *out);

#endif
