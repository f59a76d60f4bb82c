/*
 * From the profile over lags to a verdict and to one
 * sentence that a sales leader can act on; see lead_lag.h.
 *
 * The names of the columns may be singular or plural.  "Changes in <name>"
 * is plural whatever the name is, so the verbs agree.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lead_lag/lead_lag.h"

#define ALPHA			0.05	/* what sentences call sure */

/* less than both of these at lag 0 is insufficient */
#define ENOUGH_UNITS	3
#define ENOUGH_PAIRS	24

#define FEW_UNITS		10		/* fewer are told of */

static const AmLeadLagRow *
row_at_zero(const AmLeadLagRow *rows, int n_rows)
{
	int			i;

	for (i = 0; i < n_rows; i++)
		if (rows[i].lag == 0)
			return &rows[i];
	return NULL;
}

double
am_lead_lag_adjusted_p(const AmLeadLagRow *row)
{
	return isnan(row->p_holm) || isnan(row->p_strict) ? row->p_holm : fmax(row->p_holm, row->p_strict);
}

/* is a surer than b?  Holm makes ties, and so do p of 0. */
static bool
surer(const AmLeadLagRow *a, const AmLeadLagRow *b)
{
	double		p_of_a = am_lead_lag_adjusted_p(a);
	double		p_of_b = am_lead_lag_adjusted_p(b);

	if (p_of_a != p_of_b)
		return p_of_a < p_of_b;
	if (a->p_holm != b->p_holm)
		return a->p_holm < b->p_holm;
	if (a->p != b->p)
		return a->p < b->p;
	if (fabs(a->r) != fabs(b->r))
		return fabs(a->r) > fabs(b->r);
	return abs(a->lag) < abs(b->lag);
}

/* sure until the second look: a season that is larger for larger units, or too few events */
static bool
does_not_last(const AmLeadLagRow *row, double alpha)
{
	return row->p_holm <= alpha && row->p_strict > alpha;
}

/* the strongest |r| on the other side of lag 0, lag 0 included */
static const AmLeadLagRow *
rival_of(const AmLeadLagRow *rows, int n_rows, const AmLeadLagRow *best, double alpha)
{
	const AmLeadLagRow *rival = NULL;
	int			i;

	if (best->lag == 0)
		return NULL;
	for (i = 0; i < n_rows; i++)
	{
		if (isnan(rows[i].r) || (best->lag > 0 ? rows[i].lag > 0 : rows[i].lag < 0) ||
			does_not_last(&rows[i], alpha))
			continue;
		if (!rival || fabs(rows[i].r) > fabs(rival->r))
			rival = &rows[i];
	}
	return rival;
}

AmLeadLagVerdict
am_lead_lag_verdict(const AmLeadLagRow *rows, int n_rows, double alpha, int *decided)
{
	const AmLeadLagRow *zero = row_at_zero(rows, n_rows);
	const AmLeadLagRow *best;
	const AmLeadLagRow *rival;
	int			i;

	*decided = -1;
	for (i = 0; i < n_rows; i++)
	{
		if (isnan(rows[i].p) || isnan(rows[i].p_holm))
			continue;
		if (*decided < 0 || surer(&rows[i], &rows[*decided]))
			*decided = i;
	}
	if (*decided < 0 || !zero || (zero->units < ENOUGH_UNITS && zero->n < ENOUGH_PAIRS))
		return AM_LL_INSUFFICIENT;

	best = &rows[*decided];
	rival = rival_of(rows, n_rows, best, alpha);
	if (!(am_lead_lag_adjusted_p(best) <= alpha) || (rival && fabs(rival->r) >= fabs(best->r)))
		return AM_LL_NO_EVIDENCE;
	return best->lag > 0 ? AM_LL_LEADING : best->lag < 0 ? AM_LL_LAGGING : AM_LL_COINCIDENT;
}

const char *
am_lead_lag_verdict_name(AmLeadLagVerdict verdict)
{
	switch (verdict)
	{
		case AM_LL_LEADING:
			return "leading";
		case AM_LL_COINCIDENT:
			return "coincident";
		case AM_LL_LAGGING:
			return "lagging";
		case AM_LL_NO_EVIDENCE:
			return "no_evidence";
		case AM_LL_INSUFFICIENT:
			break;
	}
	return "insufficient_evidence";
}

/*
 * Words
 */

typedef struct Text
{
	char	   *buf;
	size_t		size;
	size_t		used;
} Text;

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
say(Text *text, const char *format,...)
{
	va_list		args;
	int			length;

	if (text->used + 1 >= text->size)
		return;
	va_start(args, format);
	length = vsnprintf(text->buf + text->used, text->size - text->used, format, args);
	va_end(args);
	if (length < 0)
		return;
	text->used += length;
	if (text->used >= text->size)
	{
		/* full: never end inside a UTF-8 character, a database would refuse it */
		size_t		end = text->size - 1;
		size_t		lead = end;

		while (lead > 0 && ((unsigned char) text->buf[lead - 1] & 0xC0) == 0x80)
			lead--;
		if (lead > 0 && (unsigned char) text->buf[lead - 1] >= 0xC0)
		{
			unsigned char first = (unsigned char) text->buf[lead - 1];
			size_t		expected = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;

			if (end - (lead - 1) < expected)
				end = lead - 1;
		}
		text->buf[end] = '\0';
		text->used = text->size;
	}
}

void
am_lead_lag_method(const AmLeadLagRow *row, char *buf, size_t size)
{
	Text		text = {buf, size, 0};
	const char *separator = "";

	if (size == 0)
		return;
	buf[0] = '\0';
	if (row->season > 0)
	{
		say(&text, "season %d", row->season);
		separator = ", ";
	}
	if (row->differenced)
	{
		say(&text, "%sdifferenced", separator);
		separator = ", ";
	}
	if (row->ranked)
	{
		say(&text, "%sranks", separator);
		separator = ", ";
	}
	if (row->controls > 0)
	{
		say(&text, "%s%d control%s", separator, row->controls, row->controls == 1 ? "" : "s");
		separator = ", ";
	}
	if (row->order > 0)
		say(&text, "%sAR(%d)", separator, row->order);
}

void
am_lead_lag_read_method(AmLeadLagRow *row, const char *method)
{
	const char *part;

	row->season = row->controls = row->order = 0;
	row->differenced = row->ranked = false;
	for (part = method; part; part = strstr(part, ", ") ? strstr(part, ", ") + 2 : NULL)
	{
		size_t		length = strcspn(part, ",");
		int			number;

		if (length == strlen("differenced") && strncmp(part, "differenced", length) == 0)
			row->differenced = true;
		else if (length == strlen("ranks") && strncmp(part, "ranks", length) == 0)
			row->ranked = true;
		else if (sscanf(part, "season %5d", &number) == 1 && number > 0)
			row->season = number;
		else if (sscanf(part, "AR(%5d", &number) == 1 && number > 0)
			row->order = number;
		else if (sscanf(part, "%5d control", &number) == 1 && number > 0)
			row->controls = number;
	}
}

/* 1234567 as 1,234,567 */
static void
say_count(Text *text, int64_t n)
{
	if (n >= 1000)
	{
		say_count(text, n / 1000);
		say(text, ",%03d", (int) (n % 1000));
	}
	else
		say(text, "%d", (int) n);
}

static void
say_many(Text *text, int64_t n, const char *singular)
{
	say_count(text, n);
	say(text, " %s%s", singular, n == 1 ? "" : "s");
}

/* two digits, no "-0.00" */
static double
two_digits(double r)
{
	return fabs(r) < 0.005 ? 0 : r;
}

static void
say_strength(Text *text, const AmLeadLagRow *row)
{
	double		p = am_lead_lag_adjusted_p(row);

	say(text, "r = %.2f", two_digits(row->r));
	if (!isnan(row->low) && !isnan(row->high))
		say(text, " (%.2f to %.2f)", two_digits(row->low), two_digits(row->high));
	if (p < 0.001)
		say(text, ", adjusted p < 0.001");
	else if (p < 0.095)
		say(text, ", adjusted p = %.3f", p);
	else
		say(text, ", adjusted p = %.2f", p);
}

/* what was correlated, if not the numbers as they are */
static void
say_method(Text *text, const AmLeadLagRow *row, const char *grain)
{
	if (row->season > 0)
		say(text, ", the cycle of %d %ss taken off", row->season, grain);
	if (row->differenced)
		say(text, ", of the differences from %s to %s", grain, grain);
	if (row->ranked)
		say(text, ", of ranks");
	if (row->controls > 0)
		say(text, row->controls == 1 ? ", the control held constant" : ", the %d controls held constant", row->controls);
}

/* t over few units rests on each of them */
static void
say_few(Text *text, const AmLeadLagRow *row)
{
	if (row->units > 1 && row->units < FEW_UNITS)
		say(text, "; with only %d units, one of them can turn this", (int) row->units);
}

static void
say_sign_share(Text *text, const AmLeadLagRow *row, const char *grain)
{
	if (row->units == 1)
	{
		say(text, ", 1 unit (");
		say_many(text, row->n, grain);
		say(text, ")");
		return;
	}
	if (row->sign_share >= 1)
		say(text, row->units == 2 ? ", same sign for both " : ", same sign for all ");
	else
		say(text, ", same sign for %d %% of ", (int) fmin(99, floor(100 * row->sign_share + 0.5)));
	if (row->sign_share >= 1 && row->units == 2)
		say(text, "units");
	else
		say_many(text, row->units, "unit");
	say(text, " (");
	say_count(text, row->n);
	say(text, " unit-%s%s)", grain, row->n == 1 ? "" : "s");
}

/* The dashboard shows one number over all rows.  Say so where it misleads. */
static void
say_mixture(Text *text, const AmLeadLagRow *row)
{
	double		plain = row->r_pooled;

	if (isnan(plain) || isnan(row->r) || fabs(plain) < 0.3)
		return;
	if (plain * row->r > 0 && fabs(row->r) >= fabs(plain) / 2)
		return;
	if (row->units == 1)
		say(text, "; the dashboard's r = %.2f of the raw numbers comes from slow swings of both", plain);
	else
		say(text, "; the dashboard's r = %.2f mixes differences between units and common swings with changes inside a unit",
			plain);
}

static const char *
often(const char *grain)
{
	if (strcmp(grain, "hour") == 0)
		return "hourly";
	if (strcmp(grain, "day") == 0)
		return "daily";
	if (strcmp(grain, "week") == 0)
		return "weekly";
	if (strcmp(grain, "month") == 0)
		return "monthly";
	if (strcmp(grain, "quarter") == 0)
		return "quarterly";
	return "every period";
}

static int
percent_gained(const AmLeadLagRow *row)
{
	return row->forecast_gain > 0 ? (int) floor(100 * row->forecast_gain + 0.5) : 0;
}

/* is it of use beyond what the outcome's own past tells? */
static void
say_gain(Text *text, const AmLeadLagRow *row, const char *x_name, const char *y_name)
{
	if (isnan(row->forecast_gain))
		return;
	if (percent_gained(row) > 0)
		say(text, "; knowing %s cuts the squared forecast error of %s by %d %%", x_name, y_name, percent_gained(row));
	else
		say(text, "; knowing %s does not make forecasts of %s better", x_name, y_name);
}

static void
say_insufficient(Text *text, const AmLeadLagRow *zero, const char *x_name, const char *y_name, const char *grain)
{
	int32_t		units = zero ? zero->units : 0;
	int64_t		pairs = zero ? zero->n : 0;
	int64_t		more = pairs < ENOUGH_PAIRS ? ENOUGH_PAIRS - pairs : 1;

	say(text, "Not enough data to tell whether changes in %s lead changes in %s: ", x_name, y_name);
	if (units == 0)
		say(text, "no unit has a few %ss in a row in which both vary; collect ", grain);
	else
	{
		say_many(text, units, "unit");
		say(text, " with ");
		say_many(text, pairs, grain);
		say(text, "%s, where %d %ss or %d units are needed; collect ",
			units == 1 ? "" : " together", ENOUGH_PAIRS, grain, ENOUGH_UNITS);
		more = (more + units - 1) / units;
	}
	say_count(text, more);
	say(text, " more %s%s.", grain, more == 1 ? "" : "s");
}

static void
say_no_evidence(Text *text, const AmLeadLagRow *rows, int n_rows, const AmLeadLagRow *best,
				const char *x_name, const char *y_name, const char *grain)
{
	const AmLeadLagRow *rival = rival_of(rows, n_rows, best, ALPHA);

	if (rows[n_rows - 1].lag > 0)
	{
		say(text, "Within ");
		say_many(text, rows[n_rows - 1].lag, grain);
		say(text, ", no");
	}
	else
		say(text, "No");
	say(text, " evidence that changes in %s lead or follow changes in %s: at the clearest lag, ", x_name, y_name);
	if (best->lag == 0)
		say(text, "the same %s, ", grain);
	else
	{
		say(text, "%s ", x_name);
		say_many(text, abs(best->lag), grain);
		say(text, best->lag > 0 ? " earlier, " : " later, ");
	}
	say_strength(text, best);
	say_sign_share(text, best, grain);
	say_method(text, best, grain);
	say_few(text, best);
	if (does_not_last(best, ALPHA))
		say(text, "; at first sight p = %.3f, but swings that grow with the size of a unit, or few events, explain it",
			fmax(0.001, best->p_holm));
	if (rival && am_lead_lag_adjusted_p(best) <= ALPHA && fabs(rival->r) >= fabs(best->r))
	{
		say(text, ", but r = %.2f ", two_digits(rival->r));
		if (rival->lag == 0)
			say(text, "within the same %s", grain);
		else
		{
			say(text, "with %s ", x_name);
			say_many(text, abs(rival->lag), grain);
			say(text, rival->lag > 0 ? " earlier" : " later");
		}
		say(text, " is no weaker, so the direction is open");
	}
	say_mixture(text, best);
	say(text, ". Do not steer by it.");
}

void
am_lead_lag_sentence(const AmLeadLagRow *rows, int n_rows, AmLeadLagVerdict verdict, int decided,
					 const char *x_name, const char *y_name, const char *grain,
					 char *buf, size_t size)
{
	Text		text;
	const AmLeadLagRow *best = decided >= 0 && decided < n_rows ? &rows[decided] : NULL;
	const char *opposite;

	if (size == 0)
		return;
	text.buf = buf;
	text.size = size;
	text.used = 0;
	buf[0] = '\0';
	x_name = x_name ? x_name : "x";
	y_name = y_name ? y_name : "y";
	grain = grain ? grain : "period";

	if (verdict == AM_LL_INSUFFICIENT || !best)
	{
		say_insufficient(&text, row_at_zero(rows, n_rows), x_name, y_name, grain);
		return;
	}
	if (verdict == AM_LL_NO_EVIDENCE)
	{
		say_no_evidence(&text, rows, n_rows, best, x_name, y_name, grain);
		return;
	}

	opposite = best->r < 0 ? "opposite " : "";
	say(&text, "Changes in %s ", x_name);
	if (verdict == AM_LL_COINCIDENT)
		say(&text, "come within the same %s as %schanges in %s", grain, opposite, y_name);
	else
	{
		say(&text, "%s %schanges in %s by ", verdict == AM_LL_LEADING ? "lead" : "follow", opposite, y_name);
		say_many(&text, abs(best->lag), grain);
	}
	say(&text, best->units == 1 ? ": " : ": within units, ");
	say_strength(&text, best);
	say_sign_share(&text, best, grain);
	say_method(&text, best, grain);
	say_few(&text, best);
	if (verdict == AM_LL_LEADING)
		say_gain(&text, best, x_name, y_name);
	say_mixture(&text, best);
	if (verdict == AM_LL_LAGGING)
		say(&text, ". This is news of what has already happened: do not steer by it.");
	else if (verdict == AM_LL_COINCIDENT)
		say(&text, ". It moves too late to warn: look for an activity that moves earlier.");
	else if (percent_gained(best) >= 5 || isnan(best->forecast_gain))
		say(&text, ". Watch it %s.", often(grain));
	else
		say(&text, ". Watch it %s, but plan no numbers on it yet.", often(grain));
}
