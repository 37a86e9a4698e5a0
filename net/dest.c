#include "net/dest.h"

static const struct dest *const dests[PLATFORM_COUNT] = {
#define DEST(platform, name) [PLATFORM_##platform] = &dest_##name,
#include "net/dests.def"
#undef DEST
};

const struct dest *dest_get(enum platform_id id)
{
	return (size_t)id < PLATFORM_COUNT ? dests[id] : NULL;
}
