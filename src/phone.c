/* Telephone numbers and countries: ITU-T E.164 and ISO 3166-1, from src/countries.def. */
#include "src/arena.h"
#include "src/identity.h"
#include "src/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct country {
	char iso[3], calling[4], trunk[3];
	size_t longest;   /* digits of a national number, trunk prefix not counted */
	const char *name; /* English, lower case */
};

static const struct country countries[] = {
#define COUNTRY(iso, calling, trunk, longest, name) {iso, calling, trunk, longest, name},
#include "src/countries.def"
#undef COUNTRY
};

static const char *const other_names[][2] = {{"usa", "US"}, {"united states of america", "US"},
	{"u.s.a.", "US"}, {"u.s.", "US"}, {"uk", "GB"}, {"u.k.", "GB"}, {"great britain", "GB"},
	{"england", "GB"}, {"scotland", "GB"}, {"wales", "GB"}, {"northern ireland", "GB"},
	{"gbr", "GB"}, {"can", "CA"}, {"aus", "AU"}, {"deutschland", "DE"}, {"deu", "DE"},
	{"fra", "FR"}, {"italia", "IT"}, {"ita", "IT"}, {"españa", "ES"}, {"esp", "ES"},
	{"österreich", "AT"}, {"aut", "AT"}, {"schweiz", "CH"}, {"suisse", "CH"},
	{"svizzera", "CH"}, {"che", "CH"}, {"the netherlands", "NL"}, {"nederland", "NL"},
	{"holland", "NL"}, {"nld", "NL"}, {"belgië", "BE"}, {"belgique", "BE"}, {"bel", "BE"},
	{"danmark", "DK"}, {"dnk", "DK"}, {"sverige", "SE"}, {"swe", "SE"}, {"norge", "NO"},
	{"nor", "NO"}, {"suomi", "FI"}, {"fin", "FI"}, {"polska", "PL"}, {"pol", "PL"},
	{"czech republic", "CZ"}, {"cze", "CZ"}, {"méxico", "MX"}, {"mex", "MX"}, {"brasil", "BR"},
	{"bra", "BR"}, {"jpn", "JP"}, {"日本", "JP"}, {"korea", "KR"}, {"republic of korea", "KR"},
	{"korea, republic of", "KR"}, {"kor", "KR"}, {"chn", "CN"}, {"中国", "CN"}, {"ind", "IN"},
	{"nzl", "NZ"}, {"irl", "IE"}, {"prt", "PT"}, {"türkiye", "TR"}, {"tur", "TR"},
	{"russian federation", "RU"}, {"rus", "RU"}, {"uae", "AE"}, {"are", "AE"}, {"sgp", "SG"},
	{"hkg", "HK"}, {"hong kong sar", "HK"}, {"macau", "MO"}, {"viet nam", "VN"},
	{"ivory coast", "CI"}, {"macedonia", "MK"}, {"swaziland", "SZ"}, {"burma", "MM"},
	{"zaf", "ZA"}, {"isr", "IL"}, {"ukr", "UA"}, {"grc", "GR"}, {"hun", "HU"}, {"rou", "RO"}};

static int by_iso(const void *key, const void *row)
{
	return strcmp(key, ((const struct country *)row)->iso);
}

static const struct country *country_get(const char *iso)
{
	if (!iso || strlen(iso) != 2)
		return NULL;
	return bsearch(iso, countries, TA_COUNT(countries), sizeof(countries[0]), by_iso);
}

/* Lower case, trimmed copy into t; false when it does not fit. */
static bool fold(const char *text, char *t, size_t size)
{
	size_t n = strlen(text), used = 0;
	while (n && text[n - 1] == ' ')
		n--;
	for (size_t i = strspn(text, " "); i < n;) {
		uint32_t cp;
		size_t len = utf8_decode(text + i, n - i, &cp);
		if (used + 5 > size)
			return false;
		used += utf8_encode(utf8_lower_cp(cp), t + used);
		i += len ? len : 1;
	}
	t[used] = '\0';
	return used > 0;
}

const char *identity_country(const char *text)
{
	char t[64];
	if (!text || !fold(text, t, sizeof(t)))
		return NULL;
	if (strlen(t) == 2) {
		char iso[3] = {(char)(t[0] & ~0x20), (char)(t[1] & ~0x20), '\0'};
		const struct country *c = country_get(iso);
		if (c)
			return c->iso;
	}
	for (size_t i = 0; i < TA_COUNT(countries); i++)
		if (strcmp(countries[i].name, t) == 0)
			return countries[i].iso;
	for (size_t i = 0; i < TA_COUNT(other_names); i++)
		if (strcmp(other_names[i][0], t) == 0)
			return other_names[i][1];
	return NULL;
}

static const char *const us_states[][2] = {{"alabama", "AL"}, {"alaska", "AK"}, {"arizona", "AZ"},
	{"arkansas", "AR"}, {"california", "CA"}, {"colorado", "CO"}, {"connecticut", "CT"},
	{"delaware", "DE"}, {"district of columbia", "DC"}, {"florida", "FL"}, {"georgia", "GA"},
	{"hawaii", "HI"}, {"idaho", "ID"}, {"illinois", "IL"}, {"indiana", "IN"}, {"iowa", "IA"},
	{"kansas", "KS"}, {"kentucky", "KY"}, {"louisiana", "LA"}, {"maine", "ME"},
	{"maryland", "MD"}, {"massachusetts", "MA"}, {"michigan", "MI"}, {"minnesota", "MN"},
	{"mississippi", "MS"}, {"missouri", "MO"}, {"montana", "MT"}, {"nebraska", "NE"},
	{"nevada", "NV"}, {"new hampshire", "NH"}, {"new jersey", "NJ"}, {"new mexico", "NM"},
	{"new york", "NY"}, {"north carolina", "NC"}, {"north dakota", "ND"}, {"ohio", "OH"},
	{"oklahoma", "OK"}, {"oregon", "OR"}, {"pennsylvania", "PA"}, {"puerto rico", "PR"},
	{"rhode island", "RI"}, {"south carolina", "SC"}, {"south dakota", "SD"},
	{"tennessee", "TN"}, {"texas", "TX"}, {"utah", "UT"}, {"vermont", "VT"}, {"virginia", "VA"},
	{"washington", "WA"}, {"washington dc", "DC"}, {"west virginia", "WV"}, {"wisconsin", "WI"},
	{"wyoming", "WY"}};

static const char *const ca_provinces[][2] = {{"alberta", "AB"}, {"british columbia", "BC"},
	{"manitoba", "MB"}, {"new brunswick", "NB"}, {"newfoundland and labrador", "NL"},
	{"northwest territories", "NT"}, {"nova scotia", "NS"}, {"nunavut", "NU"},
	{"ontario", "ON"}, {"prince edward island", "PE"}, {"quebec", "QC"}, {"québec", "QC"},
	{"saskatchewan", "SK"}, {"yukon", "YT"}};

const char *identity_state(const char *country, const char *name)
{
	char t[64];
	if (!country || !name || !fold(name, t, sizeof(t)))
		return NULL;
	bool us = strcasecmp(country, "US") == 0, ca = strcasecmp(country, "CA") == 0;
	const char *const(*table)[2] = us ? us_states : ca_provinces;
	size_t n = us ? TA_COUNT(us_states) : ca ? TA_COUNT(ca_provinces) : 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i][0], t) == 0)
			return table[i][1];
	return NULL;
}

struct digits {
	char d[32];
	size_t n;
	bool plus;
};

/* Characters people put between digits; everything else makes the text no number. */
static bool is_separator(uint32_t cp)
{
	return (cp < 0x80 && cp && strchr(" -.()/\t", (int)cp)) || cp == 0xa0 || cp == 0x202f ||
	       (cp >= 0x2009 && cp <= 0x2015) || cp == 0x2212;
}

/* Keeps digits and a leading plus; drops the "(0)" of "+44 (0)20 …". */
static bool read_digits(const char *text, struct digits *out)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = utf8_decode(text + i, len - i, &cp);
		if (out->plus && out->n && strncmp(text + i, "(0)", 3) == 0) {
			i += 3;
			continue;
		}
		if (cp == '+' && out->n == 0 && !out->plus)
			out->plus = true;
		else if (cp >= '0' && cp <= '9' && out->n + 1 < sizeof(out->d))
			out->d[out->n++] = (char)cp;
		else if (!is_separator(cp))
			return false;
		i += n ? n : 1;
	}
	out->d[out->n] = '\0';
	return out->n > 0;
}

static bool starts_with(const char *s, const char *prefix)
{
	return *prefix && strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Number of a local writing in country c: calling code + national number. */
static const char *from_local(struct arena *a, const char *d, const struct country *c)
{
	size_t n = strlen(d), code = strlen(c->calling);
	if (n > c->longest && starts_with(d, c->calling) && n - code <= c->longest)
		return arena_strdup(a, d); /* the calling code is there, only the plus is not */
	/* a trunk prefix of another digit than 0 may also begin an area code: length decides */
	if (starts_with(d, c->trunk) && (*d == '0' || n > c->longest))
		d += strlen(c->trunk);
	return arena_fmt(a, "%s%s", c->calling, d);
}

const char *identity_phone(struct arena *a, const char *text, const char *country, bool hashes)
{
	struct digits t = {0};
	if (text && hashes && identity_is_hash(text))
		return identity_email(a, text, true);
	if (!text || !read_digits(text, &t))
		return NULL;
	const struct country *c = country_get(identity_country(country));
	bool nanp = c && strcmp(c->calling, "1") == 0;
	const char *number = NULL;
	if (t.plus)
		number = t.d;
	else if (starts_with(t.d, "00"))
		number = t.d + 2;
	else if (nanp && starts_with(t.d, "011"))
		number = t.d + 3;
	else if (c)
		number = from_local(a, t.d, c);
	if (!number || *number == '0')
		return NULL;
	size_t n = strlen(number);
	return n >= 8 && n <= 15 ? arena_strndup(a, number, n) : NULL;
}
