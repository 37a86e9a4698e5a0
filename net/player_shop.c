/* What the invented shops sell, who buys there, and the bodies that tell of it. */
#include "net/player_body.h"

#include "src/clock.h"
#include "src/money.h"

#include <stdio.h>
#include <string.h>

const struct player_shop player_shops[PLAYER_SHOPS] = {
	{"acme-de", "acme-de.myshopify.com", "EUR", "Europe/Berlin", "DE", "de", 60, 0, 8, 30},
	{"nordic-lamps", "nordic-lamps.myshopify.com", "EUR", "Europe/Helsinki", "FI", "fi", 120, 8,
		7, 20},
	{"kaffe-shop", "kaffe-shop.myshopify.com", "GBP", "Europe/London", "GB", "en", 0, 15, 7,
		20},
	{"tokyo-paper", "tokyo-paper.myshopify.com", "JPY", "Asia/Tokyo", "JP", "ja", 540, 22, 6,
		12},
	{"sole-mates", "sole-mates.myshopify.com", "USD", "America/New_York", "US", "en", -300, 28,
		8, 28},
};

/* Prices in minor units of the shop's currency. */
const struct player_product player_products[PLAYER_PRODUCTS] = {
	{"Kantenschleifer KS-12", "ACM-KS12", "Werkzeug", 12990},
	{"Akkuschrauber 18 V", "ACM-AS18", "Werkzeug", 8950},
	{"Arbeitshandschuhe Größe 9", "ACM-AH09", "Schutz", 1495},
	{"Schraubensatz 420-teilig", "ACM-SS42", "Kleinteile", 2490},
	{"Werkbank Buche", "ACM-WB01", "Möbel", 34900},
	{"Maßband 5 m", "ACM-MB05", "Kleinteile", 790},
	{"Schutzbrille klar", "ACM-SB01", "Schutz", 1150},
	{"Hobel No. 4", "ACM-HO04", "Werkzeug", 7900},
	{"Aurora pendant lamp", "NL-AUR", "Pendants", 18900},
	{"Sisu desk lamp", "NL-SISU", "Desk", 9900},
	{"Kaamos floor lamp", "NL-KAA", "Floor", 24900},
	{"Birch shade, 40 cm", "NL-BS40", "Shades", 5900},
	{"Linen shade, 30 cm", "NL-LS30", "Shades", 4400},
	{"Filament bulb, warm", "NL-FB1", "Bulbs", 1290},
	{"Revontuli wall light", "NL-REV", "Wall", 13900},
	{"Yirgacheffe, 250 g", "KS-YIR250", "Beans", 1150},
	{"House espresso, 1 kg", "KS-ESP1K", "Beans", 2695},
	{"Pour-over kettle", "KS-KET", "Gear", 5900},
	{"Hand grinder", "KS-GRI", "Gear", 8450},
	{"Paper filters, 100", "KS-FIL", "Gear", 650},
	{"Tasting set, 4 x 60 g", "KS-TST", "Beans", 1695},
	{"Stoneware cup", "KS-CUP", "Cups", 1400},
	{"Washi notebook A5", "TP-NB5", "Notebooks", 2200},
	{"Brush pen, black", "TP-BRP", "Pens", 880},
	{"Origami paper, 200", "TP-ORI", "Paper", 1540},
	{"Letter set, cherry", "TP-LET", "Paper", 1320},
	{"Desk calendar 2027", "TP-CAL", "Calendars", 1980},
	{"Seal stone, carved", "TP-SEA", "Seals", 12000},
	{"Trail runner", "SM-TRL", "Running", 13995},
	{"Court classic", "SM-CRT", "Sneakers", 8900},
	{"Canvas low", "SM-CVL", "Sneakers", 5950},
	{"Chelsea boot", "SM-CHB", "Boots", 18900},
	{"Merino socks, 3 pairs", "SM-MER", "Socks", 2799},
	{"Waxed laces", "SM-LAC", "Care", 600},
	{"Shoe care kit", "SM-KIT", "Care", 2450},
	{"Wool slippers", "SM-SLP", "Home", 4900},
};

static const struct {
	const char *country, *first[6], *last[6], *city[3], *zip[3], *province, *calling;
} people[] = {
	{"DE", {"Jürgen", "Anna", "Lukas", "Sophie", "Mehmet", "Katharina"},
		{"Müller", "Schmidt", "Weiß", "Yılmaz", "Vogel", "Krämer"},
		{"Berlin", "Köln", "Leipzig"}, {"10115", "50667", "04109"}, "", "+4915112"},
	{"FI", {"Aino", "Eero", "Väinö", "Helmi", "Onni", "Liisa"},
		{"Virtanen", "Korhonen", "Mäkinen", "Nieminen", "Hämäläinen", "Laine"},
		{"Helsinki", "Tampere", "Oulu"}, {"00100", "33100", "90100"}, "", "+3584012"},
	{"GB", {"Olivia", "George", "Amelia", "Harry", "Priya", "Siobhán"},
		{"Smith", "O'Connor", "Patel", "Taylor", "Hughes", "Clarke"},
		{"London", "Leeds", "St Albans"}, {"SW1A 1AA", "LS1 4DY", "AL1 3JQ"}, "",
		"+4477009"},
	{"JP", {"Yui", "Haruto", "Sakura", "Ren", "Hina", "Takumi"},
		{"Sato", "Suzuki", "Takahashi", "Tanaka", "Ito", "Watanabe"},
		{"Tokyo", "Osaka", "Kyoto"}, {"150-0001", "530-0001", "600-8216"}, "JP-13",
		"+8190123"},
	{"US", {"Emma", "Liam", "Sofía", "Noah", "Zoë", "Jamal"},
		{"Johnson", "Garcia", "Nguyen", "Brown", "Kowalski", "Lee"},
		{"New York", "Portland", "Austin"}, {"10001", "97205", "78701"}, "NY", "+1212555"},
};

static const char *const agents[] = {
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	"Version/18.3 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/141.0.0.0 Mobile Safari/537.36",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	"Version/18.1 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
};

uint64_t player_random(uint64_t *state)
{
	/* splitmix64: one addition and a finalizer, good enough for a play. */
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

int player_below(uint64_t *state, int n)
{
	return (int)(player_random(state) % (uint64_t)n);
}

bool player_chance(uint64_t *state, int per_mille)
{
	return player_below(state, 1000) < per_mille;
}

/* --- visitors ----------------------------------------------------------------------------- */

static void letters(uint64_t *rnd, char *out, size_t n)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (size_t i = 0; i + 1 < n; i++)
		out[i] = set[player_below(rnd, 64)];
	out[n - 1] = '\0';
}

static void draw_clicks(struct player_visit *v, uint64_t *rnd, int64_t now_us)
{
	char id[48];
	long long ms = (long long)(now_us / 1000);
	int from = player_below(rnd, 100);
	v->source = from < 34   ? FROM_PINTEREST
		    : from < 64 ? FROM_META
		    : from < 82 ? FROM_TIKTOK
		    : from < 92 ? FROM_GOOGLE
				: FROM_NOWHERE;
	snprintf(v->fbp, sizeof(v->fbp), "fb.1.%lld.%lld", ms - 86400000,
		(long long)(player_random(rnd) % UINT64_C(9000000000)) + 1000000000);
	letters(rnd, v->ttp, 28);
	letters(rnd, id, sizeof(id));
	snprintf(v->click, sizeof(v->click), "%s%s",
		v->source == FROM_PINTEREST ? "dj0yJnU9"
		: v->source == FROM_META    ? "IwAR2"
		: v->source == FROM_TIKTOK  ? "E.C.P."
					    : "Cj0KCQ",
		id);
	snprintf(v->fbc, sizeof(v->fbc), "fb.1.%lld.%.80s", ms, v->click);
}

static void draw_person(struct player_visit *v, uint64_t *rnd)
{
	const struct player_shop *s = &player_shops[v->shop];
	size_t row = 0;
	while (row + 1 < TA_COUNT(people) && strcmp(people[row].country, s->country) != 0)
		row++;
	v->first = people[row].first[player_below(rnd, 6)];
	v->last = people[row].last[player_below(rnd, 6)];
	int place = player_below(rnd, 3);
	v->city = people[row].city[place];
	v->zip = people[row].zip[place];
	v->province = people[row].province;
	v->person = 1000 + player_below(rnd, 4000);
	snprintf(v->email, sizeof(v->email), "buyer%d@example.com", v->person);
	snprintf(v->phone, sizeof(v->phone), "%s%05d", people[row].calling, 10000 + v->person);
}

void player_visit_draw(struct player_visit *v, uint64_t *rnd, int64_t now_us)
{
	int total = 0, shop = 0;
	*v = (struct player_visit){0};
	for (int i = 0; i < PLAYER_SHOPS; i++)
		total += player_shops[i].weight;
	for (int at = player_below(rnd, total); at >= player_shops[shop].weight; shop++)
		at -= player_shops[shop].weight;
	v->shop = shop;
	const struct player_shop *s = &player_shops[shop];
	draw_clicks(v, rnd, now_us);
	draw_person(v, rnd);
	v->agent = agents[player_below(rnd, (int)TA_COUNT(agents))];
	snprintf(v->ip, sizeof(v->ip), "%s.%d",
		player_chance(rnd, 500) ? "203.0.113" : "198.51.100", 1 + player_below(rnd, 254));
	letters(rnd, v->token, 33);
	for (char *c = v->token; *c; c++)
		*c = "0123456789abcdef"[(unsigned char)*c % 16];
	snprintf(v->event_id, sizeof(v->event_id), "%.16s-purchase", v->token);
	v->lines = 1 + player_chance(rnd, 400) + player_chance(rnd, 150);
	for (int i = 0; i < v->lines; i++) {
		v->product[i] =
			s->first_product + (player_below(rnd, s->products) + i) % s->products;
		v->quantity[i] = 1 + player_chance(rnd, 200);
	}
	v->kind = player_chance(rnd, 60)   ? BUYER_ANONYMOUS
		  : player_chance(rnd, 25) ? BUYER_TEST
		  : player_chance(rnd, 45) ? BUYER_POS
		  : player_chance(rnd, 15) ? BUYER_DRAFT
					   : BUYER_KNOWN;
	v->denied = player_chance(rnd, 30);
	v->has_event_id = player_chance(rnd, 650);
}

/* --- writing ------------------------------------------------------------------------------ */

/* A JSON string as Shopify writes it: slashes escaped, ampersands as \u0026. */
static void text(struct buf *b, const char *s)
{
	if (!s) {
		buf_adds(b, "null");
		return;
	}
	buf_addc(b, '"');
	for (; *s; s++)
		if (*s == '/')
			buf_adds(b, "\\/");
		else if (*s == '&')
			buf_adds(b, "\\u0026");
		else if (*s == '"' || *s == '\\')
			buf_addf(b, "\\%c", *s);
		else
			buf_addc(b, *s);
	buf_addc(b, '"');
}

static void pair(struct buf *b, const char *key, const char *value)
{
	buf_addf(b, ",\"%s\":", key);
	text(b, value);
}

static void amount(struct buf *b, const struct player_visit *v, int64_t minor)
{
	struct money m = {.minor = minor};
	snprintf(m.currency, sizeof(m.currency), "%s", player_shops[v->shop].currency);
	money_format(b, m);
}

static void money_pair(struct buf *b, const char *key, const struct player_visit *v, int64_t minor)
{
	buf_addf(b, ",\"%s\":\"", key);
	amount(b, v, minor);
	buf_addc(b, '"');
}

static void money_set(struct buf *b, const char *key, const struct player_visit *v, int64_t minor)
{
	static const char *const sides[] = {"shop_money", "presentment_money"};
	buf_addf(b, ",\"%s\":{", key);
	for (int i = 0; i < 2; i++) {
		buf_addf(b, "%s\"%s\":{\"amount\":\"", i ? "," : "", sides[i]);
		amount(b, v, minor);
		buf_addf(b, "\",\"currency_code\":\"%s\"}", player_shops[v->shop].currency);
	}
	buf_addc(b, '}');
}

/* A time as the shop writes it: local, whole seconds, with its offset. */
static void time_pair(struct buf *b, const char *key, const struct player_visit *v, int64_t at_us)
{
	char s[32];
	int off = player_shops[v->shop].offset_min, mag = off < 0 ? -off : off;
	int64_t local_s = at_us / US_PER_S + (int64_t)off * 60;
	clock_format(local_s * US_PER_S, s);
	s[strcspn(s, "Z.")] = '\0';
	buf_addf(b, ",\"%s\":\"%s%c%02d:%02d\"", key, s, off < 0 ? '-' : '+', mag / 60, mag % 60);
}

static int64_t subtotal(const struct player_visit *v)
{
	int64_t sum = 0;
	for (int i = 0; i < v->lines; i++)
		sum += player_products[v->product[i]].minor * v->quantity[i];
	return sum;
}

static int64_t shipping(const struct player_visit *v)
{
	bool yen = strcmp(player_shops[v->shop].currency, "JPY") == 0;
	return subtotal(v) > (yen ? 8000 : 7500) ? 0 : yen ? 550 : 490;
}

int64_t player_total(const struct player_visit *v)
{
	return subtotal(v) + shipping(v);
}

static void landing(struct buf *b, const struct player_visit *v)
{
	static const char *const mediums[] = {"pinterest", "facebook", "tiktok", "google", ""};
	static const char *const keys[] = {"epik", "fbclid", "ttclid", "gclid", ""};
	const struct player_product *p = &player_products[v->product[0]];
	buf_addf(b, "/products/%s", p->sku);
	if (v->source != FROM_NOWHERE)
		buf_addf(b,
			"?utm_source=%s&utm_medium=paid&utm_campaign=%s-%d&utm_id=6267355%05d&%s=%s",
			mediums[v->source], player_shops[v->shop].name, 1 + v->person % 4,
			65000 + v->person % 7, keys[v->source], v->click);
}

static void notes(struct buf *b, const struct player_visit *v)
{
	buf_adds(b, ",\"note_attributes\":[");
	if (v->kind == BUYER_KNOWN || v->kind == BUYER_TEST) {
		buf_addf(b,
			"{\"name\":\"_fbp\",\"value\":\"%s\"},{\"name\":\"_ttp\",\"value\":\"%s\"}",
			v->fbp, v->ttp);
		if (v->source == FROM_PINTEREST)
			buf_addf(b, ",{\"name\":\"_epik\",\"value\":\"%s\"}", v->click);
		if (v->source == FROM_META)
			buf_addf(b, ",{\"name\":\"_fbc\",\"value\":\"%s\"}", v->fbc);
		if (v->source == FROM_TIKTOK)
			buf_addf(b, ",{\"name\":\"ttclid\",\"value\":\"%s\"}", v->click);
		if (v->has_event_id)
			buf_addf(b, ",{\"name\":\"ta_event_id\",\"value\":\"%s\"}", v->event_id);
	}
	buf_addc(b, ']');
}

static void address(struct buf *b, const char *key, const struct player_visit *v)
{
	buf_addf(b, ",\"%s\":{\"first_name\":", key);
	text(b, v->first);
	pair(b, "last_name", v->last);
	pair(b, "address1", "12 Example Street");
	pair(b, "address2", NULL);
	pair(b, "phone", v->person % 3 ? v->phone : NULL);
	pair(b, "city", v->city);
	pair(b, "zip", v->zip);
	pair(b, "province_code", v->province[0] ? v->province : NULL);
	pair(b, "country_code", player_shops[v->shop].country);
	buf_addc(b, '}');
}

static void customer(struct buf *b, const struct player_visit *v)
{
	if (v->kind == BUYER_ANONYMOUS || v->kind == BUYER_POS) {
		buf_adds(
			b, ",\"customer\":null,\"billing_address\":null,\"shipping_address\":null");
		return;
	}
	buf_addf(b, ",\"customer\":{\"id\":7%d%06d", v->shop + 1, v->person);
	pair(b, "email", v->email);
	pair(b, "first_name", v->first);
	pair(b, "last_name", v->last);
	pair(b, "phone", NULL);
	pair(b, "currency", player_shops[v->shop].currency);
	buf_addc(b, '}');
	address(b, "billing_address", v);
	address(b, "shipping_address", v);
}

static void lines(struct buf *b, const struct player_visit *v)
{
	buf_adds(b, ",\"line_items\":[");
	for (int i = 0; i < v->lines; i++) {
		const struct player_product *p = &player_products[v->product[i]];
		buf_addf(b, "%s{\"id\":%lld", i ? "," : "", (long long)v->order_id * 10 + i);
		buf_addf(b, ",\"product_id\":8%06d,\"variant_id\":4%06d", v->product[i] * 7 + 1000,
			v->product[i] * 11 + 2000);
		pair(b, "sku", p->sku);
		pair(b, "title", p->name);
		pair(b, "name", p->name);
		pair(b, "vendor", player_shops[v->shop].name);
		pair(b, "product_type", p->category);
		buf_addf(b, ",\"quantity\":%d,\"current_quantity\":%d", v->quantity[i],
			v->quantity[i]);
		money_pair(b, "price", v, p->minor);
		money_set(b, "price_set", v, p->minor);
		money_pair(b, "total_discount", v, 0);
		buf_adds(b, ",\"gift_card\":false,\"grams\":400,\"taxable\":true,\"properties\":[],"
			    "\"tax_lines\":[],\"discount_allocations\":[]}");
	}
	buf_addc(b, ']');
}

/* What orders and checkouts share. */
static void basket(struct buf *b, const struct player_visit *v)
{
	struct buf at = BUF_INIT(1024);
	const struct player_shop *s = &player_shops[v->shop];
	bool in_shop = v->kind == BUYER_POS, known = v->kind != BUYER_ANONYMOUS && !in_shop;
	landing(&at, v);
	buf_addf(b, ",\"currency\":\"%s\",\"presentment_currency\":\"%s\"", s->currency,
		s->currency);
	pair(b, "email", known ? v->email : "");
	pair(b, "phone", NULL);
	pair(b, "customer_locale", s->locale);
	pair(b, "landing_site", in_shop ? NULL : buf_str(&at));
	pair(b, "referring_site",
		v->source == FROM_PINTEREST ? "https://www.pinterest.com/" : NULL);
	money_pair(b, "subtotal_price", v, subtotal(v));
	money_pair(b, "total_discounts", v, 0);
	money_pair(b, "total_line_items_price", v, subtotal(v));
	money_pair(b, "total_price", v, player_total(v));
	money_pair(b, "total_tax", v, 0);
	buf_adds(b, ",\"taxes_included\":true,\"discount_codes\":[],\"tax_lines\":[]");
	notes(b, v);
	customer(b, v);
	lines(b, v);
	buf_release(&at);
}

void player_write_order(struct buf *b, const struct player_visit *v, const struct player_order *o)
{
	bool online = v->kind != BUYER_POS && v->kind != BUYER_ANONYMOUS;
	long long id = (long long)v->order_id;
	buf_addf(b, "{\"id\":%lld,\"admin_graphql_api_id\":\"gid:\\/\\/shopify\\/Order\\/%lld\"",
		id, id);
	buf_addf(b, ",\"name\":\"#%d\",\"order_number\":%d,\"number\":%d", v->number, v->number,
		v->number - 1000);
	buf_addf(b, ",\"token\":\"%s\",\"cart_token\":\"c%s\",\"checkout_token\":\"%s\"", v->token,
		v->token + 1, v->token);
	time_pair(b, "created_at", v, v->ordered_us);
	time_pair(b, "processed_at", v, v->ordered_us);
	time_pair(b, "updated_at", v, o->updated_us);
	if (o->cancelled)
		time_pair(b, "cancelled_at", v, o->updated_us);
	else
		pair(b, "cancelled_at", NULL);
	pair(b, "cancel_reason", o->cancelled ? "customer" : NULL);
	pair(b, "financial_status", o->financial_status);
	pair(b, "fulfillment_status", NULL);
	pair(b, "source_name",
		v->kind == BUYER_POS     ? "pos"
		: v->kind == BUYER_DRAFT ? "shopify_draft_order"
					 : "web");
	buf_addf(b, ",\"test\":%s", v->kind == BUYER_TEST ? "true" : "false");
	pair(b, "browser_ip", online ? v->ip : NULL);
	if (online) {
		pair(b, "order_status_url", "https://shop.example/orders/status");
		buf_addf(b, ",\"client_details\":{\"accept_language\":\"%s\"",
			player_shops[v->shop].locale);
		pair(b, "browser_ip", v->ip);
		pair(b, "user_agent", v->agent);
		buf_adds(b, ",\"session_hash\":null}");
	} else {
		buf_adds(b, ",\"client_details\":null");
	}
	pair(b, "contact_email", online ? v->email : NULL);
	money_pair(b, "current_total_price", v, player_total(v));
	money_set(b, "total_price_set", v, player_total(v));
	money_set(b, "total_shipping_price_set", v, shipping(v));
	buf_adds(b, ",\"payment_gateway_names\":[\"shopify_payments\"],\"refunds\":[],"
		    "\"fulfillments\":[],\"buyer_accepts_marketing\":false,\"tags\":\"\"");
	basket(b, v);
	buf_addc(b, '}');
}

void player_write_checkout(struct buf *b, const struct player_visit *v, int64_t at_us)
{
	buf_addf(b, "{\"token\":\"%s\",\"cart_token\":\"c%s\"", v->token, v->token + 1);
	time_pair(b, "created_at", v, v->checkout_us);
	time_pair(b, "updated_at", v, at_us);
	pair(b, "completed_at", NULL);
	pair(b, "abandoned_checkout_url", "https://shop.example/checkouts/recover");
	basket(b, v);
	buf_addc(b, '}');
}

void player_write_refund(struct buf *b, const struct player_visit *v, int64_t at_us)
{
	long long order = (long long)v->order_id;
	int64_t sum = player_products[v->product[0]].minor;
	buf_addf(b, "{\"id\":%lld,\"order_id\":%lld", order + 500000, order);
	time_pair(b, "created_at", v, at_us);
	time_pair(b, "processed_at", v, at_us);
	pair(b, "note", "Did not fit");
	buf_addf(b,
		",\"restock\":true,\"refund_line_items\":[{\"id\":%lld,\"line_item_id\":%lld,"
		"\"quantity\":1,\"subtotal\":",
		order * 10 + 7, order * 10);
	amount(b, v, sum);
	buf_adds(b, ",\"total_tax\":0}]");
	buf_addf(b,
		",\"transactions\":[{\"id\":%lld,\"order_id\":%lld,\"kind\":\"refund\","
		"\"status\":\"success\",\"gateway\":\"shopify_payments\"",
		order + 600000, order);
	money_pair(b, "amount", v, sum);
	pair(b, "currency", player_shops[v->shop].currency);
	time_pair(b, "processed_at", v, at_us);
	buf_adds(b, "}],\"order_adjustments\":[],\"duties\":[]}");
}

/* --- browser and server events ------------------------------------------------------------ */

static void event_user(struct buf *b, const struct player_visit *v, bool server)
{
	buf_adds(b, ",\"user\":{\"country\":");
	text(b, player_shops[v->shop].country);
	buf_addf(b, ",\"external_id\":\"7%d%06d\"", v->shop + 1, v->person);
	if (server || v->person % 4 == 0)
		pair(b, "email", v->email);
	if (server) {
		pair(b, "phone", v->phone);
		pair(b, "ip", v->ip);
		pair(b, "user_agent", v->agent);
	}
	buf_adds(b, "},\"click\":{\"fbp\":");
	text(b, v->fbp);
	pair(b, "ttp", v->ttp);
	if (v->source == FROM_PINTEREST)
		pair(b, "epik", v->click);
	if (v->source == FROM_META)
		pair(b, "fbc", v->fbc);
	if (v->source == FROM_TIKTOK)
		pair(b, "ttclid", v->click);
	buf_addc(b, '}');
}

static void event_items(struct buf *b, const struct player_visit *v)
{
	buf_adds(b, ",\"items\":[");
	for (int i = 0; i < v->lines; i++) {
		const struct player_product *p = &player_products[v->product[i]];
		buf_addf(b, "%s{\"id\":\"4%06d\"", i ? "," : "", v->product[i] * 11 + 2000);
		pair(b, "name", p->name);
		money_pair(b, "price", v, p->minor);
		buf_addf(b, ",\"quantity\":%d}", v->quantity[i]);
	}
	buf_addc(b, ']');
}

void player_write_event(struct buf *b, const struct player_visit *v, const struct player_event *e)
{
	struct buf url = BUF_INIT(1024);
	buf_addf(&url, "https://%s", player_shops[v->shop].domain);
	landing(&url, v);
	buf_addf(b, "{\"event\":\"%s\",\"event_id\":\"%s\",\"event_time\":%lld", e->name, e->id,
		(long long)(e->at_us / US_PER_S));
	pair(b, "url", buf_str(&url));
	if (v->source == FROM_PINTEREST)
		pair(b, "referrer", "https://www.pinterest.com/");
	if (e->value) {
		money_pair(b, "value", v,
			strcmp(e->name, "purchase") == 0 ? player_total(v) : subtotal(v));
		pair(b, "currency", player_shops[v->shop].currency);
		event_items(b, v);
	}
	if (strcmp(e->name, "purchase") == 0)
		buf_addf(b, ",\"order_id\":\"%lld\"", (long long)v->order_id);
	event_user(b, v, e->server);
	if (v->denied)
		buf_adds(b, ",\"consent\":{\"ads\":false}");
	else if (v->person % 2)
		buf_adds(b, ",\"consent\":{\"ads\":true}");
	if (strcmp(e->name, "search") == 0)
		buf_addf(b, ",\"custom\":{\"search_string\":\"%s\"}",
			player_products[v->product[0]].category);
	buf_addc(b, '}');
	buf_release(&url);
}
