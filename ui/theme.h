/* Colours and glyphs. The base theme uses the 16 ANSI colours on the terminal's own background and
 * no blue, yellow or white text, so it can be read on light and dark; every state has a glyph and
 * a word, so colour is never the only sign. NO_COLOR leaves bold, reverse and underline. */
#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdbool.h>

enum style {
	ST_TEXT,
	ST_DIM,    /* decoration only: rules, units */
	ST_STRONG, /* names, figures that matter */
	ST_TITLE,  /* section headings */
	ST_HERE,   /* the current view or tab */
	ST_KEY,    /* a key in the key bar */
	ST_HEAD,   /* column headings */
	ST_OK,
	ST_WARN,
	ST_BAD,
	ST_OFF,       /* paused, off */
	ST_BADGE_OK,  /* LIVE */
	ST_BADGE_OFF, /* PAUSED */
	ST_BADGE_BAD, /* STALE, DB LOST */
	ST_HIT,       /* what a search found */
	ST_COUNT
};

enum glyph {
	GL_OK,     /* delivered */
	GL_BAD,    /* rejected, dead */
	GL_RETRY,  /* retrying */
	GL_WAIT,   /* queued, held */
	GL_OFF,    /* filtered, paused */
	GL_WARN,   /* warning */
	GL_RULE,   /* horizontal line */
	GL_DOTS,   /* something was cut */
	GL_SELECT, /* mark of the selected line */
	GL_ARROW,  /* leads to */
	GL_COUNT
};

/* Call once after the terminal's set-up. colour: false leaves attributes only. */
void theme_start(bool colour, bool ascii);
bool theme_ascii(void);
void theme_set(enum style st, bool selected); /* sets the attributes of what is drawn next */
const char *theme_glyph(enum glyph g);
/* The nth of 0..8 steps of a vertical (true) or horizontal bar; 0 is a blank. */
const char *theme_step(int n, bool vertical);

#endif
