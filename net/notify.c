#include "net/notify.h"

#include "net/http.h"
#include "net/puller.h"
#include "src/arena.h"
#include "src/backoff.h"
#include "src/buf.h"
#include "src/clock.h"
#include "src/conf.h"
#include "src/crypto.h"
#include "src/mail.h"

#include <stdio.h>
#include <string.h>

/* Settings --------------------------------------------------------------------------------------
 */

static enum ta_rc read_level(enum health_status *out, struct ta_err *err)
{
	char word[40];
	enum ta_rc rc = conf_again(CONF_ALERT_LEVEL, word, sizeof(word), err);
	*out = strcmp(word, "crit") == 0 ? HEALTH_CRIT : HEALTH_WARN;
	if (!rc && *out == HEALTH_WARN && strcmp(word, "warn") != 0)
		rc = ta_fail(
			err, TA_CONFIG, "alert level: \"%.30s\" is neither warn nor crit", word);
	return rc;
}

const char *notify_host(const char *url, char out[120])
{
	const char *slashes = strstr(url, "://"), *host = slashes ? slashes + 3 : url;
	const char *end = host + strcspn(host, "/?#");
	struct buf b = BUF_INIT(119);
	for (const char *s = host; s < end; s++)
		if (*s == '@') /* user:password in front of it */
			host = s + 1;
	buf_add(&b, url, slashes ? (size_t)(slashes + 3 - url) : 0);
	buf_add(&b, host, (size_t)(end - host));
	snprintf(out, 120, "%s", buf_str(&b));
	buf_release(&b);
	return out;
}

static enum ta_rc check_mail(struct ta_err *err)
{
	struct mail_list list;
	struct ta_err e;
	const char *from = conf_get(CONF_ALERT_MAIL_FROM), *to = conf_get(CONF_ALERT_MAIL_TO);
	const char *url = conf_get(CONF_SMTP_URL);
	if (*url && !http_mail_url_allowed(url))
		return ta_fail(err, TA_CONFIG,
			"smtp url (%s): it must be smtp://host:port or smtps://host",
			conf_origin(CONF_SMTP_URL));
	if (*to && mail_list_read(to, &list, &e))
		return ta_fail(err, TA_CONFIG, "alert mail to (%s): %s",
			conf_origin(CONF_ALERT_MAIL_TO), e.msg);
	if (*from && !mail_address_ok(from, strlen(from)))
		return ta_fail(err, TA_CONFIG, "alert mail from (%s): \"%.60s\" is no address",
			conf_origin(CONF_ALERT_MAIL_FROM), from);
	if (*to && (!*from || !*url))
		return ta_fail(err, TA_CONFIG,
			"alert mail to (%s): mails need `alert mail from` and `smtp url` too",
			conf_origin(CONF_ALERT_MAIL_TO));
	return TA_OK;
}

enum ta_rc notify_check(struct ta_err *err)
{
	static const enum conf_key secrets[] = {CONF_ALERT_SECRET, CONF_SMTP_PASSWORD};
	char text[600], host[120];
	const char *url = conf_get(CONF_ALERT_WEBHOOK);
	enum health_status level;
	int64_t us;
	if (*url && !http_url_allowed(url))
		return ta_fail(err, TA_CONFIG,
			"alert webhook (%s): %s is no address we send to; it must be https, or http "
			"to the loopback",
			conf_origin(CONF_ALERT_WEBHOOK), notify_host(url, host));
	enum ta_rc rc = check_mail(err);
	if (!rc)
		rc = read_level(&level, err);
	if (!rc)
		rc = notice_repeat(&us, err);
	for (size_t i = 0; !rc && i < TA_COUNT(secrets); i++)
		rc = conf_secret(secrets[i], text, sizeof(text), err);
	crypto_wipe(text, sizeof(text));
	return rc;
}

/* Notices ---------------------------------------------------------------------------------------
 */

/* Why this one is not told, NULL when it is. */
static const char *refusal(const struct notice *n, enum health_status least, char out[160])
{
	if (n->turn == NOTICE_TEST)
		return NULL;
	if (n->turn == NOTICE_OVER && !n->told_before)
		return "its beginning was not told";
	if (n->muted)
		return "muted";
	if (n->turn != NOTICE_OVER && *n->acked_by) {
		snprintf(out, 160, "acknowledged by %.100s", n->acked_by);
		return out;
	}
	if (n->turn != NOTICE_OVER && n->level < least)
		return "below the alert level";
	return NULL;
}

/* The run's outcome. */
static enum ta_rc conclude(struct notify *y, struct ta_err *err)
{
	if (y->waiting)
		return ta_fail(err, TA_REMOTE, "%zu not told yet: %s", y->waiting, y->why);
	if (y->n)
		pull_say(y->pull, "told %zu", y->n);
	return TA_OK;
}

/* What shall not be told is settled, what had its try waits, the others go. */
static enum ta_rc sort(struct notify *y, const struct notice *n, enum health_status least,
	const char *unset, struct ta_err *err)
{
	char text[160];
	const char *why = unset ? unset : refusal(n, least, text);
	if (why) {
		const struct notice_result r = {n->id, NOTICE_SKIPPED, n->tries, 0, why};
		pull_again(y->pull); /* of this alert there may be more */
		return notice_settle(pull_db(y->pull), y->way, &r, clock_now_us(), err);
	}
	if (n->due && y->n < y->most) {
		y->list[y->n++] = *n;
	} else if (!n->due) {
		y->waiting++;
		snprintf(y->why, sizeof(y->why), "%.150s", n->detail);
	}
	return TA_OK;
}

enum ta_rc notify_begin(struct pull *p, enum notice_way way, const char *unset, size_t most,
	struct notify **out, struct ta_err *err)
{
	struct notify *y = arena_alloc(pull_arena(p), sizeof(*y));
	enum health_status least = HEALTH_WARN;
	struct notices all = {0};
	*y = (struct notify){.pull = p, .way = way, .most = most};
	*out = y;
	enum ta_rc rc = read_level(&least, err);
	if (!rc)
		rc = notice_open(pull_db(p), way, pull_arena(p), &all, err);
	y->list = all.rows; /* in place: it is filled no faster than it is read */
	for (size_t i = 0; !rc && i < all.n; i++)
		rc = sort(y, &all.rows[i], least, unset, err);
	if (y->n)
		pull_again(p);
	return rc || y->n ? rc : conclude(y, err);
}

enum ta_rc notify_settle(
	struct notify *y, const struct notice *n, const char *why, struct ta_err *err)
{
	int64_t now = clock_now_us();
	uint32_t random;
	crypto_random(&random, sizeof(random));
	struct notice_result r = {n->id, NOTICE_TOLD, n->tries + 1, 0, ""};
	if (why) {
		int64_t pause = TA_MIN(backoff_delay_us(r.tries, 0, random), NOTICE_PAUSE_US);
		bool last = n->turn == NOTICE_TEST || now + pause > n->at_us + NOTICE_DEADLINE_US;
		r.state = last ? NOTICE_FAILED : NOTICE_PENDING;
		r.due_us = last ? 0 : now + pause;
		r.detail = why;
		y->waiting++;
		snprintf(y->why, sizeof(y->why), "%.150s", why);
	}
	enum ta_rc rc = notice_settle(pull_db(y->pull), y->way, &r, now, err);
	return !rc && ++y->settled == y->n ? conclude(y, err) : rc;
}
