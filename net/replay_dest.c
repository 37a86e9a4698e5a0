#include "net/replay_dest.h"

#include "db/replay.h"
#include "net/dest.h"

/* What an event's bytes depend on; where it goes is not among it. */
static struct dest_config config(const struct replay_build *b)
{
	return (struct dest_config){
		.base_url = "",
		.account = "",
		.content_id = b->content_id,
		.event_names = b->event_names,
		.content_ids = b->content_ids,
	};
}

static enum reason check(const struct replay_build *b, struct buf *why)
{
	const struct dest *dest = dest_get(b->platform);
	struct dest_config cfg = config(b);
	if (dest)
		return dest->check(b->ev, &cfg, b->now_s, why);
	buf_adds(why, "this version cannot send to the platform yet");
	return REASON_BUILD;
}

static void event(const struct replay_build *b, struct buf *out)
{
	const struct dest *dest = dest_get(b->platform);
	struct dest_config cfg = config(b);
	if (dest)
		dest->event(out, b->ev, b->wire_id, &cfg);
}

const struct replay_dests *replay_dests(void)
{
	static const struct replay_dests dests = {check, event};
	return &dests;
}
