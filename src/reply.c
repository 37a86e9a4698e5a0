#include "src/reply.h"

#include "src/attr.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static const struct reply replies[] = {
#define REPLY(platform, from, to, subcode, class, word, cause, remedy)                             \
	{PLATFORM_##platform, REPLY_##class, from, to, subcode, word, cause, remedy},
#include "src/replies.def"
#undef REPLY
};

const struct reply *reply_find(enum platform_id platform, long code, long subcode)
{
	for (size_t i = 0; i < TA_COUNT(replies); i++) {
		const struct reply *r = &replies[i];
		if (r->platform == platform && code >= r->from && code <= r->to &&
			(r->subcode == 0 || r->subcode == subcode))
			return r;
	}
	return NULL;
}

const struct reply *reply_find_text(enum platform_id platform, const char *code)
{
	char *end;
	long sub = 0;

	if (*code < '0' || *code > '9')
		return NULL;
	errno = 0;
	long number = strtol(code, &end, 10);
	if (*end == '/')
		sub = strtol(end + 1, &end, 10);
	return errno || *end ? NULL : reply_find(platform, number, sub);
}
