#include "src/platform.h"

#include "src/attr.h"
#include "src/err.h"

#include <ctype.h>
#include <string.h>

static const struct platform platforms[] = {
#define PLATFORM(...) {__VA_ARGS__},
#include "src/platforms.def"
#undef PLATFORM
};

/* The columns Pinterest, Meta, TikTok. An event without a row is ours alone. */
static const char *const names[EV_COUNT][PLATFORM_SHEETS] = {
	[EV_PAGE_VIEW] = {"page_visit", "PageView", "Pageview"},
	[EV_VIEW_CONTENT] = {"view_content", "ViewContent", "ViewContent"},
	[EV_VIEW_CATEGORY] = {"view_category", "ViewContent", "ViewContent"},
	[EV_SEARCH] = {"search", "Search", "Search"},
	[EV_ADD_TO_CART] = {"add_to_cart", "AddToCart", "AddToCart"},
	[EV_ADD_TO_WISHLIST] = {"add_to_wishlist", "AddToWishlist", "AddToWishlist"},
	[EV_INITIATE_CHECKOUT] = {"initiate_checkout", "InitiateCheckout", "InitiateCheckout"},
	[EV_ADD_PAYMENT_INFO] = {"add_payment_info", "AddPaymentInfo", "AddPaymentInfo"},
	[EV_PURCHASE] = {"checkout", "Purchase", "Purchase"},
	[EV_SIGNUP] = {"signup", "CompleteRegistration", "CompleteRegistration"},
	[EV_LEAD] = {"lead", "Lead", "Lead"},
	[EV_SUBSCRIBE] = {"subscribe", "Subscribe", "Subscribe"},
	[EV_CUSTOM] = {"custom", "custom", NULL},
};

const struct platform *platform_get(enum platform_id id)
{
	TA_ASSERT((size_t)id < TA_COUNT(platforms));
	return &platforms[id];
}

const char *platform_event(enum platform_id id, enum event_name name)
{
	if ((size_t)name >= EV_COUNT || (size_t)id >= PLATFORM_COUNT)
		return NULL;
	if (id == PLATFORM_SHEETS)
		return event_word((int)name);
	return names[name][id];
}

static const struct {
	enum platform_id id;
	const char *name;
} known[] = {
#define PEVENT(platform, name) {PLATFORM_##platform, name},
#include "src/platform_events.def"
#undef PEVENT
};

/* Lower-case letters and digits alone: "view_content" and "ViewContent" are the same word. */
static bool same_word(const char *a, const char *b)
{
	for (;;) {
		while (*a && !isalnum((unsigned char)*a))
			a++;
		while (*b && !isalnum((unsigned char)*b))
			b++;
		if (!*a || !*b)
			return *a == *b;
		if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
			return false;
	}
}

static bool printable(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

enum ta_rc platform_event_check(enum platform_id id, const char *name, struct ta_err *err)
{
	const char *title = platform_get(id)->title, *near = NULL;
	size_t n = strlen(name);
	for (size_t i = 0; i < TA_COUNT(known); i++) {
		if (known[i].id != id)
			continue;
		if (strcmp(known[i].name, name) == 0)
			return TA_OK;
		if (same_word(known[i].name, name))
			near = known[i].name;
	}
	if (near)
		return ta_fail(
			err, TA_INVALID, "%s writes it %s, not \"%.60s\"", title, near, name);
	if (id == PLATFORM_PINTEREST || id == PLATFORM_TIKTOK)
		return ta_fail(err, TA_INVALID,
			"%s has no event \"%.60s\"; man trackai lists its names", title, name);
	if (!n || n > PLATFORM_CUSTOM_MAX || !printable(name) || name[0] == ' ' ||
		name[n - 1] == ' ')
		return ta_fail(err, TA_INVALID,
			"\"%.60s\" is no name of a custom event: 1 to %d bytes, no control "
			"characters, no blank at an end",
			name, PLATFORM_CUSTOM_MAX);
	return TA_OK;
}

bool platform_event_is_purchase(enum platform_id id, const char *name)
{
	const char *own = platform_event(id, EV_PURCHASE);
	return strcmp(name, own) == 0 ||
	       (id == PLATFORM_TIKTOK && strcmp(name, "CompletePayment") == 0);
}

bool platform_account_valid(enum platform_id id, const char *account)
{
	static const char digits[] = "0123456789";
	static const char word[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-";
	size_t n = strlen(account), max = id == PLATFORM_PINTEREST ? 18 : 20;
	const char *allowed = digits;

	if (id == PLATFORM_TIKTOK || id == PLATFORM_SHEETS) {
		allowed = word;
		max = 128;
	}
	return n > 0 && n <= max && strspn(account, allowed) == n;
}
