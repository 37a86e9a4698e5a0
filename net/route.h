/* The listener's routes: one row each in net/routes.def. */
#ifndef NET_ROUTE_H
#define NET_ROUTE_H

#include <stddef.h>

struct request;

#define BODY_NONE    0
#define BODY_WEBHOOK (2u << 20)
#define BODY_TRACK   (256u << 10)

struct route {
	const char *method, *path;
	size_t limit;                        /* largest body */
	void (*handle)(struct request *req); /* called once the body is whole: answers or stores */
	const char *help;
};

/* The route, NULL: none; then *allow holds the methods of that path ("GET, HEAD"), "" when the
 * path is unknown. HEAD is GET. */
const struct route *route_find(const char *method, const char *path, char allow[64]);
/* All of them, for the manual; NULL behind the last. */
const struct route *route_at(size_t i);

#define ROUTE(method, path, limit, handler, help) void handler(struct request *req);
#include "net/routes.def"
#undef ROUTE

#endif
