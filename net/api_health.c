/* GET /healthz: the process is alive. GET /readyz: webhooks can be stored. */
#include "net/keeper.h"
#include "net/request.h"
#include "net/route.h"

#include <jansson.h>
#include <stdlib.h>

void api_health_live(struct request *req)
{
	request_ok(req);
}

void api_health_ready(struct request *req)
{
	char why[160] = "";
	struct writer_stats s = writer_stats(request_writer(req));
	bool database = keeper_database(request_keeper(req));
	bool disk = !keeper_disk_low(request_keeper(req), why);
	bool ready = s.ready && database && disk && request_callers(req);
	json_t *o = json_pack("{s:b,s:b,s:b,s:b,s:I}", "ready", ready, "database", database, "lock",
		s.ready, "disk", disk, "queue", (json_int_t)s.queued);
	if (o && !disk)
		json_object_set_new(o, "error", json_string(why));
	char *json = o ? json_dumps(o, JSON_COMPACT) : NULL;
	request_json(req, ready ? 200 : 503, json ? json : "{\"ready\":false}");
	if (!ready)
		request_add_header(req, "Retry-After", "5");
	free(json);
	json_decref(o);
}
