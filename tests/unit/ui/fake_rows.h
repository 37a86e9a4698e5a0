/* The rows of the fake data source: catalogue, heartbeats, faults, a document. */
#ifndef TEST_UI_FAKE_ROWS_H
#define TEST_UI_FAKE_ROWS_H

#include "db/view.h"
#include "src/clock.h"
#include "src/words.h"

#define FAKE_NOW (INT64_C(1795344126) * US_PER_S) /* 2026-11-22T10:42:06Z */

static struct view_store fake_stores[] = {
	{.id = 1,
		.zone_s = 3600,
		.name = "acme-de",
		.currency = "EUR",
		.platform = "shopify",
		.domain = "acme-de.myshopify.com",
		.timezone = "Europe/Berlin",
		.consent = "optional"},
	{.id = 2,
		.zone_s = 3600,
		.name = "nordic-lamps",
		.currency = "SEK",
		.platform = "shopify",
		.domain = "nordic.myshopify.com",
		.timezone = "Europe/Stockholm",
		.consent = "optional"},
	{.id = 3,
		.zone_s = 32400,
		.name = "tokyo-tea",
		.currency = "JPY",
		.platform = "custom",
		.domain = "",
		.timezone = "Asia/Tokyo",
		.consent = "required"},
};

static struct view_pixel fake_pixels[] = {
	{.id = 1,
		.store_id = 1,
		.platform = PLATFORM_PINTEREST,
		.name = "px-181",
		.account = "54",
		.reason = "",
		.detail = ""},
	{.id = 2,
		.store_id = 1,
		.platform = PLATFORM_META,
		.name = "px-402",
		.account = "55",
		.held = true,
		.state_us = FAKE_NOW - 25 * 60 * US_PER_S,
		.reason = "auth",
		.detail = "code 190: the access token has expired"},
	{.id = 3,
		.store_id = 2,
		.platform = PLATFORM_TIKTOK,
		.name = "px-733",
		.account = "56",
		.reason = "",
		.detail = ""},
	{.id = 4,
		.store_id = 3,
		.platform = PLATFORM_META,
		.name = "px-901",
		.account = "57",
		.reason = "",
		.detail = ""},
};

static struct view_beat fake_beats[] = {
	{.role = "dispatcher",
		.instance = "a:1",
		.at_us = FAKE_NOW - 400000,
		.active = true,
		.detail = "{\"per_s\":31,\"in_flight\":2}"},
	{.role = "folder",
		.instance = "a:2",
		.at_us = FAKE_NOW - 42 * US_PER_S,
		.active = true,
		.detail = "{\"behind_ms\":240}"},
	{.role = "listener",
		.instance = "a:3",
		.at_us = FAKE_NOW - 600000,
		.active = true,
		.detail = "{\"per_s\":14}"},
	{.role = "router",
		.instance = "a:4",
		.at_us = FAKE_NOW - 500000,
		.active = true,
		.detail = "{\"per_s\":14,\"last_error\":\"\"}"},
};

static struct view_fault fake_faults[] = {
	{.pixel_id = 1,
		.state = DISP_REJECTED,
		.reason = REASON_PLATFORM,
		.n = 14,
		.first_us = FAKE_NOW - 11 * 60 * US_PER_S,
		.last_us = FAKE_NOW - US_PER_S,
		.code = "4170",
		.message = "user_data.em has wrong format"},
	{.pixel_id = 3,
		.state = DISP_RETRYING,
		.reason = REASON_BACKOFF,
		.n = 3,
		.first_us = FAKE_NOW - 4 * 60 * US_PER_S,
		.last_us = FAKE_NOW - 9 * US_PER_S,
		.code = "",
		.message = "no answer within 5.0 s"},
};

static struct view_last fake_last[] = {
	{.pixel_id = 1,
		.ok_us = FAKE_NOW - 660 * US_PER_S,
		.bad_us = FAKE_NOW - US_PER_S,
		.bad_http = 400,
		.bad_ms = 1900,
		.bad_class = "per_event",
		.bad_error = "code 4170"},
	{.pixel_id = 2, .ok_us = FAKE_NOW - 1500 * US_PER_S, .bad_class = "", .bad_error = ""},
	{.pixel_id = 3, .ok_us = FAKE_NOW - 2 * US_PER_S, .bad_class = "", .bad_error = ""},
	{.pixel_id = 4, .bad_class = "", .bad_error = ""},
};

static struct view_rule fake_rules[] = {
	{.pixel_id = 1,
		.id = 3,
		.version = 1,
		.priority = 5,
		.action = "drop",
		.with = "",
		.name = "no newsletters",
		.expr = "name == \"custom\" and user.email == \"anna@example.com\""},
	{.pixel_id = 1,
		.id = 12,
		.version = 3,
		.priority = 10,
		.action = "send",
		.with = "",
		.name = "EU orders",
		.expr = "currency == \"EUR\" and value >= 50"},
	{.pixel_id = 1,
		.id = 14,
		.version = 1,
		.priority = 20,
		.action = "drop",
		.with = "",
		.name = "rest",
		.expr = ""},
	{.pixel_id = 2,
		.id = 13,
		.version = 1,
		.priority = 30,
		.action = "drop",
		.with = "",
		.name = "odd",
		.expr = "value >"},
};

static const char fake_doc[] =
	"{\"v\":1,\"event\":\"purchase\",\"source\":\"shopify\",\"topic\":\"orders/create\","
	"\"event_id\":\"ev-1\",\"event_time\":1795344120,\"value\":\"84.73\",\"currency\":\"EUR\","
	"\"order_id\":\"7001\",\"order\":{\"name\":\"#10442\",\"financial_status\":\"paid\"},"
	"\"items\":[{\"id\":\"41\",\"name\":\"Autumn lamp\",\"quantity\":1}],"
	"\"user\":{\"email\":\"anna@example.com\",\"phone\":\"4915112345678\"},"
	"\"consent\":{\"ads\":true},\"click\":{\"epik\":\"dj0yJnU9abc\"},"
	"\"utm\":{\"source\":\"pinterest\",\"medium\":\"cpc\",\"campaign\":\"autumn-lamp\"}}";
static const char fake_request[] =
	"POST https://api.pinterest.com/v5/ad_accounts/54/events\n"
	"Authorization: (token)\n\n{\"data\":[{\"event_name\":\"checkout\",\"user_data\":{\"em\":["
	"\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00"
	"a08\"],\"client_ip_address\":\"203.0.113.7\"}}]}";
static const char fake_own[] =
	"{\"event_name\":\"checkout\",\"action_source\":\"web\",\"event_id\":\"ev-1\","
	"\"user_data\":{\"em\":[\"9f86d081\"],\"click_id\":\"dj0yJnU9abc\"},\"custom_data\":{"
	"\"value\":\"84.73\",\"content_ids\":[\"LAMP\"],\"new_field\":1}}";
static const char fake_good[] =
	"{\"event_name\":\"checkout\",\"action_source\":\"web\",\"event_id\":\"ev-0\","
	"\"user_data\":{\"em\":[\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f0"
	"0a08\"],\"client_ip_address\":\"203.0.113.7\"},\"custom_data\":{"
	"\"value\":\"12.00\",\"currency\":\"EUR\",\"content_ids\":[\"LAMP\",\"BULB\"]}}";
static const char fake_response[] = "{\"code\":4170,\"message\":\"user_data.em has wrong format\"}";

#endif
