/*
 * The columns of a lead/lag profile: loaded, and freed of what all units of a
 * period share; see lead_lag_work.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "lead_lag/lead_lag_work.h"

/* sum + low together hold the sum to about twice the precision */
static inline void
add_exactly(double *sum, double *low, double v)
{
	double		t = *sum + v;

	*low += fabs(*sum) >= fabs(v) ? (*sum - t) + v : (v - t) + *sum;
	*sum = t;
}

/*
 * Loading
 */

uint64_t
am_lead_lag_missing(const AmPanel *panel)
{
	uint64_t	missing = 0;
	size_t		i;

	for (i = 1; i < panel->n; i++)
	{
		if (panel->unit[i] == panel->unit[i - 1])
		{
			uint64_t	gap = am_periods_between(panel->period[i - 1], panel->period[i]) - 1;

			missing = gap > UINT64_MAX - missing ? UINT64_MAX : missing + gap;
		}
	}
	return missing;
}

void
am_ll_load(AmLlWork *work, const AmPanel *panel, bool fill_zero)
{
	uint64_t	missing = fill_zero ? am_lead_lag_missing(panel) : 0;
	int			shift[COLUMNS];
	int32_t		next = 0;
	size_t		i,
				row = 0;
	int			c;

	if (missing > AM_LL_MAX_FILLED)
	{
		fill_zero = false;
		missing = 0;
	}

	memset(work, 0, sizeof(*work));
	work->n = panel->n + (size_t) missing;
	work->n_units = panel->n_units;
	work->start = am_host_alloc(((size_t) panel->n_units + 1) * sizeof(size_t));
	work->period = am_host_alloc(work->n * sizeof(int64_t));
	for (c = 0; c < COLUMNS; c++)
	{
		const double *column = c == X ? panel->x : panel->y;
		double		largest = 0;
		int			e;

		work->dev[c] = am_host_alloc(work->n * sizeof(double));
		work->first[c] = am_host_alloc((size_t) panel->n_units * sizeof(double));
		for (i = 0; i < (size_t) panel->n_units; i++)
			work->first[c][i] = 0;
		for (i = 0; i < panel->n; i++)
			if (fabs(column[i]) > largest)
				largest = fabs(column[i]);
		e = exponent_of(largest);
		shift[c] = e > 900 ? 900 - e : e < -500 ? -500 - e : 0;
	}

	for (i = 0; i < panel->n; i++)
	{
		int32_t		unit = panel->unit[i];
		double		value[COLUMNS];

		value[X] = ldexp(panel->x[i], shift[X]);
		value[Y] = ldexp(panel->y[i], shift[Y]);
		if (i == 0 || unit != panel->unit[i - 1])
		{
			/* differencing may have left units without rows */
			while (next <= unit)
				work->start[next++] = row;
			work->first[X][unit] = value[X];
			work->first[Y][unit] = value[Y];
		}
		else if (fill_zero)
		{
			int64_t		p;

			for (p = panel->period[i - 1] + 1; p < panel->period[i]; p++)
			{
				work->period[row] = p;
				work->dev[X][row] = -work->first[X][unit];
				work->dev[Y][row] = -work->first[Y][unit];
				row++;
			}
		}
		work->period[row] = panel->period[i];
		work->dev[X][row] = value[X] - work->first[X][unit];
		work->dev[Y][row] = value[Y] - work->first[Y][unit];
		row++;
	}
	while (next <= panel->n_units)
		work->start[next++] = row;

	for (i = 0; i < (size_t) work->n_units; i++)
		if (work->start[i + 1] - work->start[i] > work->longest)
			work->longest = work->start[i + 1] - work->start[i];

	for (c = 0; c < COLUMNS; c++)
	{
		double		dev = 0,
					base = 0;

		for (i = 0; i < work->n; i++)
			if (fabs(work->dev[c][i]) > dev)
				dev = fabs(work->dev[c][i]);
		for (i = 0; i < (size_t) work->n_units; i++)
			if (work->start[i + 1] > work->start[i] && fabs(work->first[c][i] - work->first[c][0]) > base)
				base = fabs(work->first[c][i] - work->first[c][0]);
		work->dev_exponent[c] = exponent_of(dev);
		work->base_exponent[c] = exponent_of(base);
		/* so that 2 to the minus these is finite */
		if (dev == 0 || work->dev_exponent[c] < -1000)
			work->dev_exponent[c] = -1000;
		if (work->base_exponent[c] < work->dev_exponent[c] || base == 0)
			work->base_exponent[c] = work->dev_exponent[c];
	}
}

void
am_ll_unload(AmLlWork *work)
{
	int			c;

	am_host_free(work->start);
	am_host_free(work->period);
	for (c = 0; c < COLUMNS; c++)
	{
		am_host_free(work->dev[c]);
		am_host_free(work->first[c]);
	}
}

/*
 * Period means
 */

/*
 * The mean of a period is that of the deviations plus that of the units'
 * first values.  Kept apart, the second cancels exactly as long as the same
 * units are present, however large the offsets are.
 */
AmLlSlot *
am_ll_period_slots(const AmLlWork *work, size_t *slot_of)
{
	size_t		n_slots = am_period_slots(work->period, work->n, slot_of);
	AmLlSlot   *slots = am_host_alloc(n_slots * sizeof(AmLlSlot));
	int32_t		unit;
	size_t		i;
	int			c;

	memset(slots, 0, n_slots * sizeof(AmLlSlot));
	for (unit = 0; unit < work->n_units; unit++)
	{
		AM_CHECK_INTERRUPTS();
		for (i = work->start[unit]; i < work->start[unit + 1]; i++)
		{
			AmLlSlot   *slot = &slots[slot_of[i]];

			slot->units++;
			for (c = 0; c < COLUMNS; c++)
			{
				double		first = work->first[c][unit];
				double		dev = work->dev[c][i];

				add_exactly(&slot->sum[c], &slot->sum_low[c], dev);
				add_exactly(&slot->level[c], &slot->level_low[c], first - work->first[c][0]);
				slot->size[c] = fmax(slot->size[c], fmax(fabs(first), fabs(first + dev)));
			}
		}
	}
	return slots;
}

/*
 * One column of one unit, period means removed if there are slots, demeaned,
 * scaled by a power of two to below 2; returns whether it varies.
 */
bool
am_ll_transform(const AmLlWork *work, int32_t unit, int c, const AmLlSlot *slots, const size_t *slot_of,
		  double *out, int *exponent)
{
	size_t		start = work->start[unit];
	size_t		n = work->start[unit + 1] - start;
	double		noise = 0,
				min = 0,
				max = 0,
				mean = 0;
	double		first = 0,
				first_level = 0;
	size_t		i;

	*exponent = 0;
	for (i = 0; i < n; i++)
	{
		double		v = work->dev[c][start + i];

		if (slots)
		{
			const AmLlSlot *slot = &slots[slot_of[start + i]];
			double		level = (slot->level[c] + slot->level_low[c]) / slot->units;

			v -= (slot->sum[c] + slot->sum_low[c]) / slot->units;
			if (i == 0)
			{
				first = v;
				first_level = level;
			}
			v = (v - first) - (level - first_level);
			noise = fmax(noise, slot->size[c] * NOISE);
		}
		out[i] = v;
		min = fmin(min, v);
		max = fmax(max, v);
	}
	if (max - min <= noise)
		return false;

	*exponent = exponent_of(fmax(max, -min));
	for (i = 0; i < n; i++)
	{
		out[i] = ldexp(out[i], -*exponent);
		mean += out[i];
	}
	mean /= n;
	for (i = 0; i < n; i++)
		out[i] -= mean;
	return true;
}

/* value of a row, in units of 2^exponent; not below 0 where the column was not */
static inline double
scaled_value(const AmLlWork *work, int32_t unit, int c, size_t row, int exponent)
{
	return fmax(0, ldexp(work->first[c][unit] + work->dev[c][row], -exponent));
}

void
am_ll_shares_start(AmLlShares *shares, const AmLlWork *work, const size_t *slot_of, const double *const column[COLUMNS], size_t n)
{
	size_t		n_slots = 0,
				i;
	int			c;

	for (i = 0; i < work->n; i++)
		if (slot_of[i] >= n_slots)
			n_slots = slot_of[i] + 1;
	for (c = 0; c < COLUMNS; c++)
	{
		double	   *of_means = am_host_alloc(n_slots * sizeof(double));
		double		largest = 0;
		int32_t		unit;

		shares->usable[c] = true;
		for (i = 0; i < n; i++)
			if (column[c][i] < 0)
				shares->usable[c] = false;
		shares->mean[c] = am_host_alloc((size_t) work->n_units * sizeof(double));
		shares->factor[c] = am_host_alloc(n_slots * sizeof(double));
		for (i = 0; i < n_slots; i++)
			shares->factor[c][i] = of_means[i] = 0;
		for (unit = 0; unit < work->n_units; unit++)
			for (i = work->start[unit]; i < work->start[unit + 1]; i++)
				largest = fmax(largest, work->first[c][unit] + work->dev[c][i]);
		shares->exponent[c] = exponent_of(largest);
		for (unit = 0; unit < work->n_units; unit++)
		{
			size_t		rows = work->start[unit + 1] - work->start[unit];
			double		sum = 0;

			for (i = work->start[unit]; i < work->start[unit + 1]; i++)
			{
				double		v = scaled_value(work, unit, c, i, shares->exponent[c]);

				sum += v;
				shares->factor[c][slot_of[i]] += v;
			}
			shares->mean[c][unit] = rows > 0 ? sum / rows : 0;
			for (i = work->start[unit]; i < work->start[unit + 1]; i++)
				of_means[slot_of[i]] += shares->mean[c][unit];
		}
		for (i = 0; i < n_slots; i++)
			shares->factor[c][i] = of_means[i] > 0 ? shares->factor[c][i] / of_means[i] : 0;
		am_host_free(of_means);
	}
}

void
am_ll_shares_end(AmLlShares *shares)
{
	int			c;

	for (c = 0; c < COLUMNS; c++)
	{
		am_host_free(shares->mean[c]);
		am_host_free(shares->factor[c]);
	}
}

/* One column of one unit less its share of the periods, centred, of order 1; returns whether it varies */
bool
am_ll_transform_by_share(const AmLlWork *work, int32_t unit, int c, const AmLlShares *shares, const size_t *slot_of, double *out)
{
	size_t		start = work->start[unit];
	size_t		n = work->start[unit + 1] - start;
	double		largest = 0,
				size = 0,
				mean = 0;
	int			exponent;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		double		v = scaled_value(work, unit, c, start + i, shares->exponent[c]);

		size = fmax(size, v);
		out[i] = v - shares->mean[c][unit] * shares->factor[c][slot_of[start + i]];
		mean += out[i];
	}
	mean /= n;
	for (i = 0; i < n; i++)
	{
		out[i] -= mean;
		largest = fmax(largest, fabs(out[i]));
	}
	if (largest <= size * NOISE)
		return false;
	exponent = exponent_of(largest);
	for (i = 0; i < n; i++)
		out[i] = ldexp(out[i], -exponent);
	return true;
}
