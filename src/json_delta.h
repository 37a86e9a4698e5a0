/* Where two JSON objects of the same writer differ, fast: a walk over the texts without building
 * anything. Members are matched by name, elements of lists by place. Made for a replay's plan,
 * which compares hundreds of thousands; src/payload_diff.h explains one. Pure. */
#ifndef TA_JSON_DELTA_H
#define TA_JSON_DELTA_H

#include <stddef.h>

#define JSON_DELTA_PATH    160 /* bytes of a path, longer ones are cut */
#define JSON_DELTA_MEMBERS 64  /* of one object; more are compared as one text */
#define JSON_DELTA_DEPTH   8

struct json_slice {
	const char *p; /* NULL: not there */
	size_t n;
};

struct json_delta {
	/* Called for each value that differs. The path is "user_data.em", of a list "items[].id".
	 */
	void (*each)(void *arg, const char *path, struct json_slice was, struct json_slice now);
	void *arg;
};

/* Texts that are no JSON count as values of the path "". */
void json_delta(const struct json_delta *d, struct json_slice was, struct json_slice now);

#endif
