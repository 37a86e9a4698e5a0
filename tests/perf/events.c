/* Cost of one event on its way out: checked and built for each platform, wrapped and judged in a
 * batch of 1000. An order of two lines with every identity; single thread, best of five rounds. */
#include "net/dest.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/err.h"

#include <stdio.h>
#include <string.h>

#define TARGET_NS 5000 /* about ten SHA-256 each, nothing beside them that counts */
#define BATCH     1000
#define ROUNDS    5

static const char doc[] =
	"{\"v\":1,\"event\":\"purchase\",\"source\":\"shopify\",\"event_time\":1795343000,\"url\":"
	"\"https://shop.example/thanks?a=1\",\"value\":\"72.39\",\"currency\":\"USD\",\"order_id\":"
	"\"820982911946154508\",\"items\":[{\"id\":\"788\",\"name\":\"Aviator\",\"price\":\"9.50\","
	"\"quantity\":2},{\"id\":\"CASE\",\"name\":\"Case\",\"price\":\"53.39\",\"quantity\":1}],"
	"\"user\":{\"email\":\"jane.doe@example.com\",\"phone\":\"15551234567\",\"external_id\":"
	"\"207119551\",\"first_name\":\"Jane\",\"last_name\":\"Doe\",\"city\":\"New York\",\"state\":"
	"\"NY\",\"zip\":\"10001\",\"country\":\"US\",\"ip\":\"203.0.113.9\",\"user_agent\":\"Mozilla/5.0 "
	"(iPhone; CPU iPhone OS 18_3 like Mac OS X)\"},\"click\":{\"fbc\":"
	"\"fb.1.1795340000456.IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQ\",\"fbp\":"
	"\"fb.1.1795340000123.1098115397\",\"epik\":\"dj0yJnU9b2JDcFFHekV4\",\"ttclid\":\"E.C.P.abc\"}}";

static int64_t best(int64_t now, int64_t before)
{
	return before == 0 || now < before ? now : before;
}

static void answer(enum platform_id p, struct buf *b)
{
	if (p == PLATFORM_META)
		buf_addf(b, "{\"events_received\":%d,\"messages\":[]}", BATCH);
	if (p == PLATFORM_TIKTOK)
		buf_adds(b, "{\"code\":0,\"message\":\"OK\",\"data\":{}}");
	if (p != PLATFORM_PINTEREST)
		return;
	buf_addf(b, "{\"num_events_received\":%d,\"num_events_processed\":%d,\"events\":[", BATCH,
		BATCH);
	for (int i = 0; i < BATCH; i++)
		buf_addf(b, "%s{\"status\":\"processed\",\"error_message\":null}", i ? "," : "");
	buf_adds(b, "]}");
}

/* Nanoseconds per event of one platform: check and build, wrap, judge. */
static void measure(enum platform_id p, const struct event *ev)
{
	struct dest_config cfg = {.base_url = "http://127.0.0.1", .account = "1", .token = "t"};
	static struct buf events[BATCH];
	struct buf why = BUF_INIT(4096), body = BUF_INIT(4 << 20);
	int64_t build = 0, wrap = 0, judge = 0;
	size_t bytes = 0;

	answer(p, &body);
	struct dest_reply reply = {.http = 200, .body = buf_str(&body), .len = body.len};
	for (int round = 0; round < ROUNDS; round++) {
		struct arena a = ARENA_INIT;
		struct dest_request req;
		struct dest_outcome out;
		int64_t start = clock_mono_us();
		for (size_t i = 0; i < BATCH; i++) {
			events[i].cap = 65536;
			buf_clear(&events[i]);
			TA_ASSERT(dest_get(p)->check(ev, &cfg, 1795344000, &why) == REASON_NONE);
			dest_get(p)->event(&events[i], ev, "5a2f0c6f-purchase", &cfg);
		}
		build = best(clock_mono_us() - start, build);
		start = clock_mono_us();
		dest_get(p)->request(&a, &cfg, events, BATCH, &req);
		wrap = best(clock_mono_us() - start, wrap);
		start = clock_mono_us();
		dest_get(p)->judge(&a, &reply, BATCH, &out);
		judge = best(clock_mono_us() - start, judge);
		TA_ASSERT(out.class == DEST_OK);
		bytes = req.body.len / BATCH;
		buf_release(&req.body);
		arena_release(&a);
	}
	printf("%s %13lld ns  check and build an event of %zu bytes for %s; wrap %lld, judge %lld  "
	       "(target <= %d)\n",
		build <= TARGET_NS ? "ok  " : "MISS", (long long)build, bytes,
		platform_word((int)p), (long long)wrap, (long long)judge, TARGET_NS);
	for (size_t i = 0; i < BATCH; i++)
		buf_release(&events[i]);
	buf_release(&body);
	buf_release(&why);
}

int main(void)
{
	struct arena a = ARENA_INIT;
	struct event ev;

	TA_ASSERT(event_read(&a, doc, strlen(doc), &ev, NULL) == TA_OK);
	for (int p = PLATFORM_PINTEREST; p <= PLATFORM_TIKTOK; p++)
		measure((enum platform_id)p, &ev);
	arena_release(&a);
	return 0;
}
