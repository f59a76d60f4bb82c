/*
 * The results of the vanity score and the gaming test in one or two plain
 * sentences with numbers.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vanity/vanity_fit.h"

#define WORD	160				/* room for a number or a name in a sentence */

void
am_vw_add(char *buf, size_t size, const char *format,...)
{
	size_t		used = strlen(buf);
	va_list		args;
	int			wanted;

	if (used + 1 >= size)
		return;
	va_start(args, format);
	wanted = vsnprintf(buf + used, size - used, format, args);
	va_end(args);
	if (wanted >= 0 && (size_t) wanted >= size - used)
	{
		/* leave no half of a UTF-8 character at the end */
		size_t		end = size - 1;
		size_t		start = end;

		while (start > used && ((unsigned char) buf[start - 1] & 0xC0) == 0x80)
			start--;
		if (start > used && (unsigned char) buf[start - 1] >= 0xC0)
		{
			unsigned char lead = (unsigned char) buf[start - 1];
			size_t		length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;

			if (end - (start - 1) < length)
				buf[start - 1] = '\0';
		}
	}
}

/* groups the digits before the decimal point by thousands */
static void
group_digits(const char *plain, char *buf, size_t size)
{
	size_t		whole = strspn(plain, "-0123456789");
	size_t		at = 0;

	for (size_t i = 0; plain[i] && at + 2 < size; i++)
	{
		buf[at++] = plain[i];
		if (i + 1 < whole && plain[i] != '-' && (whole - i - 1) % 3 == 0)
			buf[at++] = ',';
	}
	buf[at] = '\0';
}

void
am_vw_number(double value, char *buf, size_t size)
{
	char		plain[WORD];

	if (fabs(value) >= 1e15)
	{
		snprintf(buf, size, "%.3g", value);
		return;
	}
	if (value == floor(value))
		snprintf(plain, sizeof(plain), "%.0f", value);
	else
		snprintf(plain, sizeof(plain), fabs(value) >= 100 ? "%.0f" : fabs(value) >= 1 ? "%.1f" : "%.2g", value);
	group_digits(plain, buf, size);
}

static void
plural(const char *word, char *buf, size_t size)
{
	size_t		length = strlen(word);
	char		last = length > 0 ? word[length - 1] : '\0';
	char		before = length > 1 ? word[length - 2] : '\0';

	if (last == 's' || last == 'x' || (last == 'h' && (before == 'c' || before == 's')))
		snprintf(buf, size, "%ses", word);
	else if (last == 'y' && !strchr("aeiou", before))
		snprintf(buf, size, "%.*sies", (int) length - 1, word);
	else
		snprintf(buf, size, "%ss", word);
}

static const char *
plural_of(const char *word, char *buf, size_t size)
{
	plural(word, buf, size);
	return buf;
}

void
am_vw_count(int64_t count, const char *singular, char *buf, size_t size)
{
	char		plain[32];
	char		digits[48];
	char		many[WORD];

	snprintf(plain, sizeof(plain), "%" PRId64, count);
	group_digits(plain, digits, sizeof(digits));
	plural(singular, many, sizeof(many));
	snprintf(buf, size, "%s %s", digits, count == 1 ? singular : many);
}

void
am_vw_percent(double share, char *buf, size_t size)
{
	double		percent = 100 * fabs(share);
	char		plain[32];
	char		digits[48];

	if (percent >= 1000)
	{
		snprintf(buf, size, "more than 1,000 %%");
		return;
	}
	snprintf(plain, sizeof(plain), percent >= 0.95 || percent == 0 ? "%.0f" : "%.1f", percent);
	group_digits(plain, digits, sizeof(digits));
	snprintf(buf, size, "%s %%", digits);
}

static void
probability(double p, char *buf, size_t size)
{
	if (p > 0.99)
		snprintf(buf, size, "above 0.99");
	else if (p < 0.01)
		snprintf(buf, size, "below 0.01");
	else
		snprintf(buf, size, "%.2f", p);
}

/* "rep" and "week" make "rep-week" */
static void
row_name(const char *unit, const char *grain, char *buf, size_t size)
{
	snprintf(buf, size, "%s-%s", unit, grain);
}

/* change of the outcome for 10 % more of the metric */
static double
per_ten_percent(double elasticity)
{
	return exp(elasticity * log(1.1)) - 1;
}

/* the first letter of a sentence */
static void
capitalise(char *buf)
{
	if (buf[0] >= 'a' && buf[0] <= 'z')
		buf[0] = (char) (buf[0] - 'a' + 'A');
}

/* why the correlation on a dashboard misleads: which of its parts is most of it */
static void
add_dashboard(const AmVanityResult *result, const char *unit, const char *grain, char *buf, size_t size)
{
	double		total = result->size_share + result->time_share + result->within_share;
	double		size_part = result->size_share / total;
	double		time_part = result->time_share / total;
	char		units[WORD];
	char		grains[WORD];
	char		part[WORD];

	if (!(fabs(result->dashboard_r) >= 0.1) || !isfinite(total) || !(total * result->dashboard_r > 0))
		return;
	plural(unit, units, sizeof(units));
	plural(grain, grains, sizeof(grains));
	if (size_part >= 0.5 && size_part >= time_part)
	{
		am_vw_percent(size_part, part, sizeof(part));
		am_vw_add(buf, size, "; the r = %.2f on the dashboard is %s big %s against small %s",
				  result->dashboard_r, size_part > 0.995 ? "all" : part, units, units);
	}
	else if (time_part >= 0.5)
	{
		am_vw_percent(time_part, part, sizeof(part));
		am_vw_add(buf, size, "; the r = %.2f on the dashboard is %s %s in which %s",
				  result->dashboard_r, time_part > 0.995 ? "all" : part, grains,
				  result->dashboard_r > 0 ? "both run high" : "one runs high and the other low");
	}
}

static void
say_leading(const AmVanityResult *result, const char *metric, const char *outcome,
			const char *unit, const char *grain, char *buf, size_t size)
{
	char		row[WORD];
	char		rows[WORD];
	char		effect[WORD];
	char		lag[WORD];
	char		p[WORD];

	row_name(unit, grain, row, sizeof(row));
	am_vw_count(result->n, row, rows, sizeof(rows));
	am_vw_percent(per_ten_percent(result->elasticity), effect, sizeof(effect));
	am_vw_count((result->lag_from + result->lag_to) / 2, grain, lag, sizeof(lag));
	probability(result->confidence, p, sizeof(p));
	am_vw_add(buf, size,
			  "When a %s has 10 %% more %s than usual for them and that %s, %s run %s higher about %s later (%s, probability %s).",
			  unit, metric, grain, outcome, effect, lag, rows, p);
	if (result->saturated > 0)
		am_vw_add(buf, size, " Above the usual level more of it brings nothing more: set no target there.");
}

static void
say_running_total(const AmVanityResult *result, const char *metric, const char *grain, char *buf, size_t size)
{
	char		steps[WORD];
	char		falls[WORD];
	char		p[WORD];

	am_vw_count(result->steps, "step", steps, sizeof(steps));
	am_vw_number((double) result->falls, falls, sizeof(falls));
	am_vw_add(buf, size, "%s fell in %s of %s: it only ever rises and cannot show a bad %s; score its increase per %s",
			  metric, falls, steps, grain, grain);
	if (result->p_progress >= 0.8)
	{
		probability(result->p_progress, p, sizeof(p));
		am_vw_add(buf, size, " (leads, %s)", p);
	}
	am_vw_add(buf, size, ".");
	capitalise(buf);
}

static void
say_vanity(const AmVanityResult *result, const char *metric, const char *outcome,
		   const char *unit, const char *grain, char *buf, size_t size)
{
	char		units[WORD];
	char		grains[WORD];
	char		effect[WORD];
	char		lag[WORD];
	char		p[WORD];

	plural(unit, units, sizeof(units));
	plural(grain, grains, sizeof(grains));
	am_vw_count(result->max_lag, grain, lag, sizeof(lag));
	if (result->only_substance >= 0.5)
	{
		probability(result->only_substance, p, sizeof(p));
		am_vw_add(buf, size, "Not the number of %s leads %s, only %s x quality does (probability %s): count the substantive ones.",
				  metric, outcome, metric, p);
	}
	else if (result->wrong_way > result->p_nothing && result->elasticity < 0)
	{
		am_vw_percent(per_ten_percent(result->elasticity), effect, sizeof(effect));
		if (result->raw_r > 0)
			am_vw_add(buf, size, "%s with more %s have more %s, yet the same %s sees %s less of them after %s with 10 %% more.",
					  units, metric, outcome, unit, effect, grains);
		else
			am_vw_add(buf, size, "After %s with 10 %% more %s than usual a %s sees %s less %s.",
					  grains, metric, unit, effect, outcome);
		capitalise(buf);
	}
	else
	{
		am_vw_add(buf, size, "After %s with more %s than usual, %s did not rise within %s", grains, metric, outcome, lag);
		if (isfinite(result->smallest_visible))
		{
			am_vw_percent(per_ten_percent(result->smallest_visible), effect, sizeof(effect));
			am_vw_add(buf, size, ", and %s per +10 %% would have shown", effect);
		}
		add_dashboard(result, unit, grain, buf, size);
		am_vw_add(buf, size, ".");
	}
}

static void
say_diagnostic(const AmVanityResult *result, const char *metric, const char *outcome, const char *grain,
			   char *buf, size_t size)
{
	char		effect[WORD];
	char		lag[WORD];

	if (result->same_week >= result->follows && result->same_week >= result->p_weak)
		am_vw_add(buf, size, "It moves with %s %s the same %s: good to notice trouble, not to aim at.", outcome,
				  strcmp(grain, "day") == 0 ? "on" : "in", grain);
	else if (result->follows >= result->p_weak)
		am_vw_add(buf, size, "It follows %s instead of leading them: good to notice trouble, not to aim at.", outcome);
	else
	{
		am_vw_percent(per_ten_percent(result->elasticity), effect, sizeof(effect));
		am_vw_count((result->lag_from + result->lag_to) / 2, grain, lag, sizeof(lag));
		am_vw_add(buf, size, "10 %% more %s go with only %s more %s about %s later: good to notice trouble, too weak to aim at.",
				  metric, effect, outcome, lag);
	}
}

/*
 * How many more periods would show an effect of this elasticity: what can be
 * seen shrinks with the square root of their number.
 */
static void
add_periods_to_see(const AmVanityResult *result, double elasticity, const char *grain, char *buf, size_t size)
{
	double		ratio = result->smallest_visible / elasticity;
	double		more = ceil(result->periods * (ratio * ratio - 1));
	char		grains[WORD];
	char		effect[WORD];

	if (!(more >= 1))
		return;
	am_vw_percent(per_ten_percent(elasticity), effect, sizeof(effect));
	if (more > 1000)
	{
		plural(grain, grains, sizeof(grains));
		am_vw_add(buf, size, " No number of %s within reach would show one of %s: look at more units or at an outcome that is less rare.", grains, effect);
		return;
	}
	am_vw_count((int64_t) more, grain, grains, sizeof(grains));
	am_vw_add(buf, size, " About %s more would show one of %s.", grains, effect);
}

/* periods that bring what is missing, at the pace so far */
static void
add_periods_missing(double missing, double per_period, const char *grain, char *buf, size_t size)
{
	char		grains[WORD];

	if (!(per_period > 0) || missing / per_period > 1000)
		return;
	am_vw_count((int64_t) ceil(missing / per_period), grain, grains, sizeof(grains));
	am_vw_add(buf, size, " At this pace that takes %s more.", grains);
}

static void
say_insufficient(const AmVanityResult *result, const AmVanityOptions *options,
				 const char *metric, const char *outcome, const char *unit, const char *grain,
				 char *buf, size_t size)
{
	char		row[WORD];
	char		rows[WORD];
	char		found[WORD];
	char		effect[WORD];
	char		p[WORD];
	char		q[WORD];

	row_name(unit, grain, row, sizeof(row));
	am_vw_count(result->n, row, rows, sizeof(rows));
	am_vw_number((double) result->outcomes, found, sizeof(found));
	if (result->n == 0)
	{
		plural(row, rows, sizeof(rows));
		am_vw_add(buf, size, "There are no %s to look at.", rows);
	}
	else if (result->n < 24)
	{
		am_vw_add(buf, size, "Only %s: at least 24 are needed.", rows);
		add_periods_missing(24 - (double) result->n, (double) result->n / result->periods, grain, buf, size);
	}
	else if (result->units < 2)
		am_vw_add(buf, size, "Only one %s: with nobody to compare, a good %s cannot be told from a busy %s.", unit, unit, grain);
	else if (result->outcomes < 5)
	{
		if (result->outcomes == 0)
			am_vw_add(buf, size, "No %s in %s: at least 5 %ss with some are needed.", outcome, rows, row);
		else
		{
			am_vw_add(buf, size, "Only %s of %s with %s: at least 5 are needed.", found, rows, outcome);
			add_periods_missing(5 - (double) result->outcomes, (double) result->outcomes / result->periods, grain, buf, size);
		}
	}
	else if (result->periods < 3)
	{
		am_vw_count(result->periods, grain, found, sizeof(found));
		am_vw_add(buf, size, "Only %s: too few to see what follows.", found);
	}
	else if (result->max_lag < 4 && isfinite(result->smallest_visible) && result->p_nothing + result->wrong_way >= 0.75)
	{
		am_vw_count(result->periods, grain, found, sizeof(found));
		am_vw_count(result->max_lag, grain, p, sizeof(p));
		am_vw_count(12 - result->periods, grain, q, sizeof(q));
		am_vw_add(buf, size, "Nothing follows within %s, but %s show no more than that: collect at least %s more.", p, found, q);
	}
	else if (!isfinite(result->smallest_visible) && options && options->lag_prior_from > result->periods / 3)
	{
		am_vw_count(result->periods, grain, found, sizeof(found));
		am_vw_count(options->lag_prior_from, grain, p, sizeof(p));
		am_vw_add(buf, size, "%s are too few for a lag of %s: three times as many as the lag are needed.", found, p);
	}
	else if (!isfinite(result->smallest_visible))
	{
		am_vw_add(buf, size, "%s or %s never differ from what is usual for the %s and the %s, or in no %s that follow each other:"
				  " there is nothing to compare.", metric, outcome, unit, grain, plural_of(grain, q, sizeof(q)));
		capitalise(buf);
	}
	else
	{
		am_vw_percent(per_ten_percent(result->smallest_visible), effect, sizeof(effect));
		probability(result->p_leads + result->p_weak, p, sizeof(p));
		probability(result->p_nothing, q, sizeof(q));
		am_vw_add(buf, size, "%s, %s of them with %s: only an effect of %s per +10 %% could have been seen"
				  " (so far it leads with probability %s, nothing follows with %s).",
				  rows, found, outcome, effect, p, q);
		/* what a leading metric usually brings, or else a small lead */
		add_periods_to_see(result, result->smallest_visible > AM_VF_LEADS_M ? AM_VF_LEADS_M : AM_VF_WEAK_M, grain, buf, size);
	}
}

void
am_vanity_sentence(const AmVanityResult *result, const AmVanityOptions *options,
				   const char *metric, const char *outcome, const char *unit, const char *grain,
				   char *buf, size_t size)
{
	if (size == 0)
		return;
	buf[0] = '\0';
	switch (result->verdict)
	{
		case AM_VANITY_OUTCOME:
			am_vw_add(buf, size, "%s and %s are zero in the same %s-%ss or move as one: the same thing counted twice, not a sign of what comes.",
					  metric, outcome, unit, grain);
			capitalise(buf);
			break;
		case AM_VANITY_LEADING:
			say_leading(result, metric, outcome, unit, grain, buf, size);
			break;
		case AM_VANITY_DIAGNOSTIC:
			say_diagnostic(result, metric, outcome, grain, buf, size);
			break;
		case AM_VANITY_VANITY:
			if (result->only_rises > 0.6)
				say_running_total(result, metric, grain, buf, size);
			else
				say_vanity(result, metric, outcome, unit, grain, buf, size);
			break;
		case AM_VANITY_GAMED:
			am_gaming_sentence(&result->gaming, options ? options->target_value : NAN,
							   metric, outcome, unit, grain, buf, size);
			break;
		case AM_VANITY_INSUFFICIENT:
			say_insufficient(result, options, metric, outcome, unit, grain, buf, size);
			break;
	}
	/* a target that does not part the rows was not tested; say which side is missing */
	if (options && options->has_target && isnan(result->p_gamed) && result->gaming.n_before + result->gaming.n_after > 0)
	{
		char		untested[4 * WORD];

		am_gaming_sentence(&result->gaming, options->target_value, metric, outcome, unit, grain, untested, sizeof(untested));
		am_vw_add(buf, size, " %s", untested);
	}
	/* where the fit decided */
	if (result->batch > 1 && isfinite(result->elasticity) && !(result->only_rises > 0.6) &&
		result->verdict != AM_VANITY_OUTCOME && result->verdict != AM_VANITY_GAMED)
	{
		char		every[WORD];

		am_vw_count(result->batch, grain, every, sizeof(every));
		am_vw_add(buf, size, " There is an entry only every %s: each is spread evenly over them.", every);
	}
}

/* "rose by 51 %" */
static void
change(double log_ratio, char *buf, size_t size)
{
	double		share = exp(log_ratio) - 1;
	char		percent[64];

	am_vw_percent(share, percent, sizeof(percent));
	if (fabs(share) < 0.01)
		snprintf(buf, size, "stayed the same");
	else
		snprintf(buf, size, "%s by %s", share > 0 ? "rose" : "fell", percent);
}

void
am_gaming_sentence(const AmGamingResult *result, double target_value,
				   const char *metric, const char *outcome, const char *unit, const char *grain,
				   char *buf, size_t size)
{
	char		row[WORD];
	char		rows[WORD];
	char		value[WORD];
	char		to[WORD];
	char		share[WORD];
	char		before[WORD];
	char		moved[WORD];
	char		p[WORD];
	bool		has_value = isfinite(target_value);
	bool		gamed;

	if (size == 0)
		return;
	buf[0] = '\0';
	row_name(unit, grain, row, sizeof(row));
	plural(row, rows, sizeof(rows));
	if (isnan(result->p_gamed))
	{
		am_vw_add(buf, size, "No %s %s the target: there is nothing to compare.", rows,
				  result->n_before == 0 ? "before" : "since");
		return;
	}

	gamed = result->p_gamed >= 0.5;
	probability(result->p_gamed, p, sizeof(p));
	if (has_value)
		am_vw_number(target_value, value, sizeof(value));
	if (!gamed)
		am_vw_add(buf, size, "No sign of gaming (probability %s): since", p);
	else
		am_vw_add(buf, size, "Since");
	am_vw_add(buf, size, has_value ? " the target of %s" : " the target%s", has_value ? value : "");

	if (isfinite(result->share_at_target) && isfinite(result->band_to) &&
		(!gamed || result->bunch > 0 || !isfinite(result->volume_change)))
	{
		double		last = target_value == floor(target_value) ? ceil(result->band_to) - 1 : result->band_to;

		am_vw_number(last, to, sizeof(to));
		am_vw_percent(result->share_at_target, share, sizeof(share));
		am_vw_percent(result->share_before, before, sizeof(before));
		am_vw_add(buf, size, ", %s of %s sit at %s-%s (%s before)", share, rows, value, to, before);
	}
	else if (isfinite(result->volume_change))
	{
		change(result->volume_change, moved, sizeof(moved));
		am_vw_add(buf, size, ", %s %s", metric, moved);
		if (result->quality_fall > 0)
		{
			change(result->quality_change, moved, sizeof(moved));
			am_vw_add(buf, size, ", their quality %s", moved);
		}
		if (isfinite(result->outcome_change))
		{
			change(result->outcome_change, moved, sizeof(moved));
			am_vw_add(buf, size, " and %s %s", outcome, moved);
		}
	}
	else
		am_vw_add(buf, size, " too few %s to compare", rows);

	if (gamed && result->bunch > 0 && result->fill_pay < -0.01)
	{
		am_vw_percent(exp(result->fill_pay) - 1, share, sizeof(share));
		am_vw_add(buf, size, ", and filling up to it brought %s less than ordinary %s of that number", share, metric);
	}
	if (gamed)
		am_vw_add(buf, size, " (probability %s)", p);
	am_vw_add(buf, size, ".");
}

void
am_gaming_scan_sentence(const AmGamingResult *result, const AmGamingTarget *target, double z,
						const char *metric, const char *outcome, const char *unit, const char *grain,
						char *buf, size_t size)
{
	char		grains[WORD];

	if (size == 0)
		return;
	buf[0] = '\0';
	if (isnan(z))
	{
		plural(grain, grains, sizeof(grains));
		am_vw_add(buf, size, "Too few %s to look for a date: at least 4 before and 4 after it, and 15 %% of the rows, are needed.", grains);
		return;
	}
	if (!(z > 0))
	{
		am_vw_add(buf, size, "There is no %s since which the level of %s is higher than before%s: no date to test.", grain, metric,
				  isfinite(target->value) ? ", or the share that sits on the target" : "");
		return;
	}
	am_gaming_sentence(result, target->value, metric, outcome, unit, grain, buf, size);
	am_vw_add(buf, size, " The date was looked for: %s number %" PRId64 " differs most from what was before.", grain, target->from);
}
