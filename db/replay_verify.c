/* Are the bytes of every stored sending what we would build for it again? */
#include "db/replay_planner.h"
#include "src/crypto.h"

#include <string.h>

struct verifier {
	struct planner p; /* first: it is what planner_read() hands back */
	struct replay_verified *out;
};

static void note(struct replay_verified *out, const struct find_event *e,
	const struct find_delivery *d, const struct find_attempt *t)
{
	out->differ++;
	if (out->nfirst < TA_COUNT(out->first))
		out->first[out->nfirst++] =
			(struct replay_differs){e->id, d->pixel_id, d->run, t->attempt};
}

static void verify(struct verifier *v, const struct find_event *e, const struct find_delivery *d,
	const struct find_attempt *t)
{
	uint8_t hash[SHA256_LEN];
	v->out->sendings++;
	v->p.past.last = t;
	v->p.past.of = d;
	if (!e->read || !planner_rebuild(&v->p, e)) {
		v->out->unknown++;
		return;
	}
	crypto_sha256(v->p.before.p, v->p.before.len, hash);
	if (memcmp(hash, t->hash, sizeof(hash)) == 0)
		v->out->same++;
	else
		note(v->out, e, d, t);
}

static void found(void *planner, const struct find_event *e, const bool *match)
{
	struct verifier *v = planner;
	struct planner *p = &v->p;
	bool any = false;
	for (size_t i = 0; i < e->n && !p->rc; i++) {
		const struct find_delivery *d = &e->deliveries[i];
		bool sent = false;
		if (!match[i] || !planner_picked(p, e->id, d->pixel_id))
			continue;
		p->rc = replay_shapes_pixel(p->db, &p->shapes, d->pixel_id, &p->at, p->err);
		for (size_t k = 0; !p->rc && p->at && k < d->nattempts; k++) {
			if (!d->attempts[k].hash)
				continue;
			verify(v, e, d, &d->attempts[k]);
			sent = true;
		}
		v->out->deliveries += sent;
		any = any || sent;
	}
	p->plan->events++;
	v->out->events += any;
	arena_clear(&p->scratch);
}

enum ta_rc replay_verify(struct db *db, const struct replay_ask *ask, struct replay_verified *out,
	struct ta_err *err)
{
	struct replay_plan plan;
	struct verifier v = {.p = {.db = db, .ask = ask, .plan = &plan}, .out = out};
	*out = (struct replay_verified){0};
	enum ta_rc rc = planner_open(&v.p, err);
	if (!rc)
		rc = planner_read(&v.p, found, err);
	out->stopped = plan.stopped;
	planner_close(&v.p);
	replay_plan_release(&plan);
	return rc;
}
