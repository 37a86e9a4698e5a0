/* The platforms' published refusals, to be had on request (faults `code` and `event_code`). */
#include "net/sandbox_check.h"

#include <stdio.h>
#include <string.h>

struct refusal {
	enum platform_id platform;
	int http;
	int64_t code, subcode;
	const char *type, *message; /* type: Meta's; %zu in the message: the event's place */
	const char *title, *text;   /* Meta's for people, NULL none */
};

static const struct refusal refusals[] = {
	{PLATFORM_PINTEREST, 401, 2, 0, "", "Authentication failed.", NULL, NULL},
	{PLATFORM_PINTEREST, 401, 3, 0, "",
		"Your token does not have sufficient permissions to perform this operation. Please "
		"ensure your token is authorized with the correct set of scopes.",
		NULL, NULL},
	{PLATFORM_PINTEREST, 429, 8, 0, "", "This request exceeded a rate limit.", NULL, NULL},
	{PLATFORM_PINTEREST, 403, 29, 0, "", "You are not permitted to access that resource.", NULL,
		NULL},
	{PLATFORM_PINTEREST, 400, 4196, 0, "",
		"Invalid request: Additional properties are not allowed ('category_name' was "
		"unexpected)",
		NULL, NULL},
	{PLATFORM_PINTEREST, 503, 4197, 0, "",
		"The endpoint has been ramped down and is currently not accepting any traffic.",
		NULL, NULL},
	{PLATFORM_META, 500, 2, 0, "OAuthException", "Service temporarily unavailable", NULL, NULL},
	{PLATFORM_META, 400, 4, 0, "OAuthException", "Application request limit reached", NULL,
		NULL},
	{PLATFORM_META, 400, 17, 0, "OAuthException", "User request limit reached", NULL, NULL},
	{PLATFORM_META, 400, 100, 33, "GraphMethodException",
		"Unsupported post request. Object does not exist, cannot be loaded due to missing "
		"permissions, or does not support this operation.",
		NULL, NULL},
	{PLATFORM_META, 400, 100, 2804001, "OAuthException", "Invalid parameter",
		"Click ID Incorrectly Formatted",
		"The click ID (_fbc) parameter is not formatted correctly."},
	{PLATFORM_META, 400, 100, 2804050, "OAuthException", "Invalid parameter",
		"H\xc3\xa6ndelsen har ikke nok kundedata",
		"Denne h\xc3\xa6ndelse har ikke tilstr\xc3\xa6kkelige kundeoplysninger."},
	{PLATFORM_META, 400, 190, 460, "OAuthException",
		"Error validating access token: The session has been invalidated because the user "
		"changed their password",
		NULL, NULL},
	{PLATFORM_META, 400, 190, 463, "OAuthException",
		"Error validating access token: Session has expired", NULL, NULL},
	{PLATFORM_META, 400, 80003, 0, "OAuthException",
		"There have been too many calls to this ad account", NULL, NULL},
	{PLATFORM_TIKTOK, 200, 40001, 0, "",
		"No permission to operate pixel code. You must be an admin or operator of this "
		"advertiser account.",
		NULL, NULL},
	{PLATFORM_TIKTOK, 200, 40002, 0, "",
		"Batch.%zu.properties.contents.0.content_id: Not a valid string", NULL, NULL},
	{PLATFORM_TIKTOK, 200, 40100, 0, "", "Too many requests. Please retry in some time.", NULL,
		NULL},
	{PLATFORM_TIKTOK, 200, 40105, 0, "", "Access token is incorrect or has been revoked.", NULL,
		NULL},
	{PLATFORM_TIKTOK, 200, 50002, 0, "", "Internal error.", NULL, NULL},
};

static const struct refusal *find(enum platform_id platform, int64_t code, int64_t subcode)
{
	for (size_t i = 0; i < TA_COUNT(refusals); i++)
		if (refusals[i].platform == platform && refusals[i].code == code &&
			refusals[i].subcode == subcode)
			return &refusals[i];
	return NULL;
}

bool sb_code_known(enum platform_id platform, int64_t code, int64_t subcode)
{
	return find(platform, code, subcode) != NULL;
}

static void write_meta(struct buf *b, const struct refusal *f)
{
	buf_adds(b, "{\"error\":{\"message\":");
	sb_json_string(b, f->message);
	buf_addf(b, ",\"type\":\"%s\",\"code\":%lld", f->type, (long long)f->code);
	if (f->subcode)
		buf_addf(b, ",\"error_subcode\":%lld", (long long)f->subcode);
	if (f->title) {
		buf_adds(b, ",\"is_transient\":false,\"error_user_title\":");
		sb_json_string(b, f->title);
		buf_adds(b, ",\"error_user_msg\":");
		sb_json_string(b, f->text);
	}
	buf_adds(b, ",\"fbtrace_id\":\"Acode\"}}");
}

void sb_refuse_code(
	enum platform_id platform, int64_t code, int64_t subcode, size_t at, struct sb_answer *a)
{
	const struct refusal *f = find(platform, code, subcode);
	const char *place = f ? strstr(f->message, "%zu") : NULL;
	struct buf message = BUF_INIT(1000);
	if (!f)
		return;
	sb_answer_start(a, f->http);
	a->nok = 0;
	a->warned = 0;
	if (platform == PLATFORM_META) {
		write_meta(&a->body, f);
		return;
	}
	buf_addf(&message, "%.*s", place ? (int)(place - f->message) : 1000, f->message);
	if (place)
		buf_addf(&message, "%zu%s", at, place + 3);
	buf_addf(&a->body, "{\"code\":%lld,\"message\":", (long long)f->code);
	sb_json_string(&a->body, buf_str(&message));
	buf_adds(&a->body, platform == PLATFORM_TIKTOK ? ",\"request_id\":\"code\"}" : "}");
	buf_release(&message);
}
