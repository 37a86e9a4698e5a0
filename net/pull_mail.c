/* Alerts by mail: one mail holds all that is due. */
#include "src/mail.h"

#include "net/notify.h"
#include "net/puller.h"
#include "src/alert.h"
#include "src/arena.h"
#include "src/clock.h"
#include "src/conf.h"
#include "src/crypto.h"

#include <stdio.h>
#include <string.h>

#define AT_ONCE  100 /* notices in one mail */
#define TOTAL_MS 20000
#define TEXT_MAX ((size_t)128 << 10)

struct server {
	char url[300], user[200], password[600], from[300];
	struct mail_list to;
	bool set;
};

static enum ta_rc read_server(struct server *s, struct ta_err *err)
{
	char to[1000];
	*s = (struct server){0};
	enum ta_rc rc = conf_again(CONF_ALERT_MAIL_TO, to, sizeof(to), err);
	if (rc || !*to)
		return rc;
	s->set = true;
	rc = mail_list_read(to, &s->to, err);
	if (!rc)
		rc = conf_again(CONF_ALERT_MAIL_FROM, s->from, sizeof(s->from), err);
	if (!rc && !mail_address_ok(s->from, strlen(s->from)))
		rc = ta_fail(err, TA_CONFIG, "alert mail from: \"%.60s\" is no address", s->from);
	if (!rc)
		rc = conf_again(CONF_SMTP_URL, s->url, sizeof(s->url), err);
	if (!rc && !http_mail_url_allowed(s->url))
		rc = ta_fail(
			err, TA_CONFIG, "smtp url: it must be smtp://host:port or smtps://host");
	if (!rc)
		rc = conf_again(CONF_SMTP_USER, s->user, sizeof(s->user), err);
	return rc ? rc : conf_secret(CONF_SMTP_PASSWORD, s->password, sizeof(s->password), err);
}

/* "crit: pixel Shop/meta, state", "over: …". */
static void put_head(struct buf *b, const struct notice *n)
{
	if (n->turn == NOTICE_TEST) {
		buf_adds(b, "test: Track AI can send mail");
		return;
	}
	buf_addf(b, "%s: %s%s%s, %s",
		n->turn == NOTICE_OVER ? "over" : health_status_word(n->level),
		alert_scope_word(n->scope), *n->object ? " " : "", n->object,
		health_word((enum health_part)n->part));
}

static void put_subject(struct buf *b, const struct notify *y)
{
	size_t over = 0;
	for (size_t i = 0; i < y->n; i++)
		over += y->list[i].turn == NOTICE_OVER;
	if (y->n == 1)
		put_head(b, &y->list[0]);
	else
		buf_addf(b, "%zu alerts, %zu over", y->n, over);
}

static void put_notice(struct buf *b, const struct notice *n)
{
	char at[32], raised[32];
	clock_format(n->at_us, at);
	clock_format(n->raised_us, raised);
	put_head(b, n);
	buf_addf(b, "\n    %s\n    %s %s", n->why, notice_turn_word(n->turn), at);
	if (n->at_us != n->raised_us)
		buf_addf(b, ", raised %s", raised);
	if (n->alert_id)
		buf_addf(b,
			"\n    alert %lld: trackai alert ack %lld, or trackai alert mute %lld "
			"--until 2h",
			(long long)n->alert_id, (long long)n->alert_id, (long long)n->alert_id);
	buf_adds(b, "\n\n");
}

/* The same for the same notices, so that a mail sent twice may be seen as one. */
static const char *id_of(struct arena *a, const struct notify *y)
{
	struct buf b = BUF_INIT(TEXT_MAX);
	char hex[65];
	for (size_t i = 0; i < y->n; i++)
		buf_addf(&b, "%lld %lld\n", (long long)y->list[i].id, (long long)y->list[i].at_us);
	crypto_sha256_hex(buf_str(&b), b.len, hex);
	buf_release(&b);
	return arena_fmt(a, "notice.%lld.%.24s", (long long)y->list[0].id, hex);
}

static const char *message_of(struct arena *a, const struct notify *y, const struct server *s)
{
	struct buf subject = BUF_INIT(600), text = BUF_INIT(TEXT_MAX), b = BUF_INIT(4 * TEXT_MAX);
	buf_adds(&subject, "Track AI: ");
	put_subject(&subject, y);
	for (size_t i = 0; i < y->n; i++)
		put_notice(&text, &y->list[i]);
	const struct mail m = {.from = s->from,
		.to = &s->to,
		.id = id_of(a, y),
		.subject = buf_str(&subject),
		.text = buf_str(&text),
		.at_us = clock_now_us()};
	mail_write(&b, &m);
	const char *message = arena_strdup(a, buf_str(&b));
	buf_release(&subject);
	buf_release(&text);
	buf_release(&b);
	return message;
}

static enum ta_rc told(struct pull *p, struct http_reply *r, void *arg, struct ta_err *err)
{
	struct notify *y = arg;
	enum ta_rc rc = TA_OK;
	char why[200];
	(void)p;
	if (r->status && r->end != HTTP_ANSWERED)
		snprintf(why, sizeof(why), "the mail server: %s", r->error);
	else
		snprintf(why, sizeof(why), "no answer: %s", r->error);
	for (size_t i = 0; !rc && i < y->n; i++)
		rc = notify_settle(y, &y->list[i], r->end == HTTP_ANSWERED ? NULL : why, err);
	return rc;
}

static enum ta_rc mail_all(struct notify *y, const struct server *s, struct ta_err *err)
{
	const char *to[MAIL_TO_MAX + 1] = {NULL};
	const char *message = message_of(pull_arena(y->pull), y, s);
	for (size_t i = 0; i < s->to.n; i++)
		to[i] = s->to.at[i];
	const struct http_mail m = {.url = s->url,
		.user = s->user,
		.password = s->password,
		.from = s->from,
		.to = to,
		.message = message,
		.len = strlen(message),
		.total_ms = TOTAL_MS};
	return pull_ask_mail(y->pull, &m, told, y, err);
}

enum ta_rc pull_mail(struct pull *p, struct ta_err *err)
{
	struct notify *y = NULL;
	struct server s;
	enum ta_rc rc = read_server(&s, err);
	if (!rc)
		rc = notify_begin(p, NOTICE_MAIL, s.set ? NULL : "no `alert mail to` is set",
			AT_ONCE, &y, err);
	if (!rc && y->n)
		rc = mail_all(y, &s, err);
	if (!rc && !s.set)
		pull_say(p, "nobody to tell: `alert mail to` is not set");
	crypto_wipe(&s, sizeof(s));
	return rc;
}
