/* trackai event normalise: what a body becomes, without a database. */
#include "net/in.h"
#include "net/in_track.h"
#include "src/arena.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/cmd.h"
#include "src/cmd_file.h"
#include "src/cmd_event.h"
#include "src/opt.h"

#include <stdio.h>
#include <string.h>

#define BODY_MAX (2 * 1024 * 1024) /* what the listener takes */

struct normalise {
	struct arena a;
	const char *topic, *domain, *basis;
	bool public_key;
	struct buf body;
	bool failed;
};

static enum ta_rc read_body(const char *path, struct buf *b, struct ta_err *err)
{
	enum ta_rc rc = cmd_read_file(path, BODY_MAX, b, err);
	return rc == TA_LIMIT
		       ? ta_fail(err, rc, "%s is longer than the 2 MiB a webhook may have", path)
		       : rc;
}

static void print_result(struct normalise *n, const struct in_result *r)
{
	struct buf doc = BUF_INIT(4 * BODY_MAX);
	if (r->failure) {
		printf("failed %s: %s\n", failure_word((int)r->failure),
			r->detail ? r->detail : failure_text((int)r->failure));
		n->failed = true;
	}
	if (r->uninstalled)
		puts("no event: the store is uninstalled");
	for (size_t i = 0; i < r->nevents; i++) {
		buf_clear(&doc);
		event_write(&doc, &r->events[i].ev);
		puts(buf_str(&doc));
	}
	buf_release(&doc);
}

static enum ta_rc run_track(struct normalise *n, struct ta_err *err)
{
	struct track_batch batch;
	const struct track_request req = {.source = n->public_key ? SOURCE_BROWSER : SOURCE_SERVER,
		.body = buf_str(&n->body),
		.len = n->body.len,
		.now_us = clock_now_us()};
	enum ta_rc rc = track_parse(&n->a, &req, &batch, err);
	for (size_t i = 0; !rc && i < batch.n; i++) {
		struct in_result out;
		const struct in_receipt r = {.source = req.source,
			.body = batch.items[i].bytes,
			.len = batch.items[i].len,
			.received_us = req.now_us};
		if (batch.items[i].error) {
			printf("rejected: %s\n", batch.items[i].error);
			n->failed = true;
			continue;
		}
		in_track(&n->a, &r, &(struct in_store){.domain = n->domain}, &out);
		print_result(n, &out);
	}
	return rc;
}

static void run_shopify(struct normalise *n)
{
	struct in_result out;
	const struct in_store store = {.domain = n->domain, .basis = in_basis_of(n->basis)};
	const struct in_receipt r = {.source = SOURCE_SHOPIFY,
		.topic = n->topic,
		.body = buf_str(&n->body),
		.len = n->body.len,
		.received_us = clock_now_us()};
	in_shopify(&n->a, &r, &store, &out);
	print_result(n, &out);
}

int event_normalise(int argc, char **argv)
{
	struct normalise n = {.body = BUF_INIT(BODY_MAX)};
	struct ta_err err = {0};
	const struct opt opts[] = {{"topic", OPT_STR, &n.topic, "orders/create, …, or track"},
		{"domain", OPT_STR, &n.domain, "the shop's domain, for page addresses"},
		{"basis", OPT_STR, &n.basis, "total, subtotal or net"},
		{"public", OPT_FLAG, &n.public_key, "track: as with a public key"}, {0}};
	enum ta_rc rc = opt_parse(&argc, argv, opts, &err);
	if (!rc && (argc != 2 || !n.topic))
		rc = ta_fail(&err, TA_USAGE, "usage: trackai event normalise --topic T FILE");
	if (!rc)
		rc = read_body(argv[1], &n.body, &err);
	TA_ASSERT(rc || n.topic);
	if (!rc && strcmp(n.topic, "track") == 0)
		rc = run_track(&n, &err);
	else if (!rc)
		run_shopify(&n);
	buf_release(&n.body);
	arena_release(&n.a);
	if (rc)
		return cmd_fail("event normalise", &err);
	return n.failed ? ta_rc_exit(TA_INVALID) : 0;
}
