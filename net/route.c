#include "net/route.h"

#include "src/attr.h"

#include <string.h>

static const struct route routes[] = {
#define ROUTE(method, path, limit, handler, help) {method, path, limit, handler, help},
#include "net/routes.def"
#undef ROUTE
};

const struct route *route_at(size_t i)
{
	return i < TA_COUNT(routes) ? &routes[i] : NULL;
}

static void allow_method(char allow[64], const char *method)
{
	size_t n = strlen(allow);
	if (n + strlen(method) + 3 > 64)
		return;
	if (n) {
		memcpy(allow + n, ", ", 3);
		n += 2;
	}
	memcpy(allow + n, method, strlen(method) + 1);
}

const struct route *route_find(const char *method, const char *path, char allow[64])
{
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	allow[0] = '\0';
	for (size_t i = 0; i < TA_COUNT(routes); i++) {
		const struct route *r = &routes[i];
		if (strcmp(r->path, path) != 0)
			continue;
		if (strcmp(r->method, method) == 0)
			return r;
		allow_method(allow, r->method);
		if (strcmp(r->method, "GET") == 0)
			allow_method(allow, "HEAD");
	}
	return NULL;
}
