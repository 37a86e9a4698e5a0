#include "net/dest.h"

#include "src/attr.h"

#include <string.h>

static const struct dest *const dests[PLATFORM_COUNT] = {
#define DEST(platform, name) [PLATFORM_##platform] = &dest_##name,
#include "net/dests.def"
#undef DEST
};

const struct dest *dest_get(enum platform_id id)
{
	return (size_t)id < PLATFORM_COUNT ? dests[id] : NULL;
}

void dest_wire(const struct dest_request *req, struct buf *wire)
{
	if (!req->secret_body)
		return;
	buf_init(wire, req->body.len + strlen(req->secret_body) + 16);
	buf_add(wire, req->body.p, 1);
	buf_adds(wire, req->secret_body);
	buf_add(wire, req->body.p + 1, req->body.len - 1);
}

void dest_record(const struct dest_request *req, size_t most, struct buf *out)
{
	buf_addf(out, "%s %s\n", req->method, req->url);
	for (size_t i = 0; i < TA_COUNT(req->headers) && req->headers[i]; i++)
		buf_addf(out, "%s\n", req->headers[i]);
	if (req->secret_header)
		buf_addf(out, "%.*s: ***\n", (int)strcspn(req->secret_header, ":"),
			req->secret_header);
	buf_adds(out, "\n");
	const char *body = buf_str(&req->body);
	size_t n = TA_MIN(req->body.len, most);
	if (req->secret_body && n) {
		buf_adds(out, "{\"access_token\":\"***\",");
		buf_add(out, body + 1, n - 1);
	} else {
		buf_add(out, body, n);
	}
}
