/*
 * Proof of work: figures worked out by hand, and what must hold on any panel.
 * Thousands of random panels are compared with SQL in test/pgtap/target_check.sql.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"

#include "vanity/proof_of_work.h"

#define MOST 4096

static int32_t unit[MOST];
static int64_t period[MOST];
static double x[MOST];
static double y[MOST];
static AmPanel panel = {.unit = unit, .period = period, .x = x, .y = y};

static void
add_row(int32_t u, int64_t p, double metric, double outcome)
{
	unit[panel.n] = u;
	period[panel.n] = p;
	x[panel.n] = metric;
	y[panel.n++] = outcome;
	panel.n_units = u + 1;
}

/* Two units that do 9 and 0 in turn; an outcome follows a 9 of the first, and now and then a 0 */
static void
by_hand(void)
{
	AmProofOfWork r;

	panel.n = 0;
	for (int u = 0; u < 2; u++)
		for (int p = 0; p < 61; p++)
			add_row(u, p, p % 2 == 0 ? 9 : 0, p % 2 == 1 ? (u == 0 ? 2 : 0) : (p % 6 == 0 ? 1 : 0));
	am_proof_of_work(&panel, 9, 1, 1, &r);
	ok(r.met.n == 122 && r.met.k == 62, "rows that meet the value");
	/* the last row of each unit has no next one */
	ok(r.empty_high.n == 60 && r.empty_high.k == 30, "nothing follows those of the second unit");
	ok(r.empty_low.n == 60 && r.empty_low.k == 40, "an outcome follows every third 0");
	ok(fabs(r.proof - 0.25) < 1e-12, "proof is 1 - (30 / 60) / (40 / 60)");
	/* within units: 0 of 30 against 20 of 30, and 30 of 30 against 20 of 30 */
	ok(fabs(r.own_proof - 0.25) < 1e-12, "the units weigh the same: the own proof as well");
	ok(r.longest_run == 30, "30 in a row that nothing follows");
	ok(r.floor == 0, "a hit guarantees nothing");
	am_proof_of_work(&panel, NAN, 1, 1, &r);
	ok(r.met.k == 62, "the top third where no value is given");
	am_proof_of_work(&panel, 10, 1, 1, &r);
	ok(r.met.k == 0 && isnan(r.empty_high.share) && isnan(r.proof) && isnan(r.floor) && r.verdict == AM_PROOF_INSUFFICIENT, "nobody met it");
	am_proof_of_work(&panel, 9, 61, 61, &r);
	ok(r.met.k == 62 && r.empty_high.n == 0, "a window that nobody reaches");
}

/* A large unit that meets the value always and has outcomes anyway, and a small one that never does */
static void
size_is_no_proof(void)
{
	AmProofOfWork r;

	panel.n = 0;
	for (int p = 0; p < 200; p++)
		add_row(0, p, 50 + p % 10, p * 59 % 101 < 80);
	for (int p = 0; p < 200; p++)
		add_row(1, p, p % 10, p * 59 % 101 < 10);
	am_proof_of_work(&panel, 50, 1, 1, &r);
	ok(r.low > 0.4, "by the shares there is proof");
	ok(!(r.own_low > 0), "not against the low rows of the same unit");
	ok(r.verdict == AM_PROOF_FAIL, "so it fails");
}

static void
far_apart(void)
{
	AmProofOfWork r;

	panel.n = 0;
	add_row(0, INT64_MIN, 1, 1);
	add_row(0, INT64_MAX, 1, 1);
	add_row(1, 0, 1e308, 1e308);
	add_row(1, 1, 1e308, 1e308);
	add_row(1, 2, 1e308, 1e308);
	am_proof_of_work(&panel, 1, 0, 1, &r);
	ok(r.met.k == 5 && r.empty_high.n == 2, "periods at both ends of the range are not next to each other");
	panel.n = 0;
	am_proof_of_work(&panel, 1, 0, 1, &r);
	ok(r.met.n == 0 && isnan(r.met.share) && r.verdict == AM_PROOF_INSUFFICIENT, "no rows");
}

int
main(void)
{
	by_hand();
	size_is_no_proof();
	far_apart();
	return done_testing();
}
