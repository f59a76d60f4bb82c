/*
 * The vanity score and the gaming test: agreement with the reference on four
 * of the made-up teams (golden_steps.json beside them), and properties that
 * must hold on any panel.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"

#include "vanity/gaming.h"
#include "vanity/vanity.h"
#include "vanity/vanity_fit.h"

#define MOST 8192

/* A panel that is built row by row */
typedef struct Rows
{
	AmPanel		panel;
	int32_t		unit[MOST];
	int64_t		period[MOST];
	double		x[MOST];
	double		y[MOST];
	double		quality[MOST];
} Rows;

static void
start_rows(Rows *rows)
{
	memset(&rows->panel, 0, sizeof(rows->panel));
	rows->panel.unit = rows->unit;
	rows->panel.period = rows->period;
	rows->panel.x = rows->x;
	rows->panel.y = rows->y;
}

static void
add_row(Rows *rows, int32_t unit, int64_t period, double x, double y)
{
	size_t		n = rows->panel.n++;

	rows->unit[n] = unit;
	rows->period[n] = period;
	rows->x[n] = x;
	rows->y[n] = y;
	rows->quality[n] = NAN;
	rows->panel.n_units = unit + 1;
}

static void
copy_rows(Rows *to, const Rows *from)
{
	memcpy(to, from, sizeof(*to));
	to->panel.unit = to->unit;
	to->panel.period = to->period;
	to->panel.x = to->x;
	to->panel.y = to->y;
	to->panel.quality = from->panel.quality ? to->quality : NULL;
}

static void
game(const AmPanel *panel, int64_t from, double value, AmGamingResult *result, double *suspicion)
{
	AmGamingTarget target = {.from = from, .value = value};

	am_gaming(panel, &target, result, suspicion);
}

/*
 * Golden values
 */
typedef struct GoldenWindow
{
	int			from;
	int			width;
	double		b;
	double		se;
	int64_t		n;
	double		information;
} GoldenWindow;

typedef struct Golden
{
	const char *world;
	size_t		n;
	double		phi;
	double		sd;
	int			degree;
	double		mu[30];			/* of the first rep */
	GoldenWindow window[5];
	double		posterior[6];	/* nothing, leads, weak, wrong way, same week, follows */
	double		score;
	const char *verdict;
	double		only_rises;
	double		decomposition[4];	/* raw r, size, time, within */
} Golden;

static const Golden golden[] = {
	{
		"p018", 239, 0.9032155624418127, 0.5637208711862284, 1,
		{
			0.6451612903225806, 0.5066711704104035, 0.20266846816416142, 0.40533693632832285, 0.9120081067387263,
			0.5066711704104035, 0.9120081067387263, 0.30400270224624215, 1.1146765749028877, 0.5066711704104035,
			0.5066711704104035, 0.30400270224624215, 0.8106738726566457, 0.40533693632832285, 0.40533693632832285,
			1.1146765749028877, 0.5066711704104035, 0.7093396385745651, 1.1146765749028877, 0.6080054044924843,
			1.2160108089849686, 0.20266846816416142, 0.8106738726566457, 0.9120081067387263, 1.2160108089849686,
			0.7093396385745651, 0.40533693632832285, 0.9120081067387263, 0.5066711704104035, 0.6080054044924843
		},
		{
			{1, 1, 0.0066839646146146835, 0.13770876641354385, 231, 51.35809025352364},
			{2, 3, 0.08224792584144741, 0.22064516665045975, 207, 19.12829376291837},
			{3, 5, 0.8717662645564833, 0.31218220207074077, 183, 9.245349121107404},
			{0, 1, -0.14246680198601983, 0.12608091901698176, 239, 49.494906115224666},
			{-1, 1, -0.03213997500071984, 0.12971444670413226, 231, 48.64965502314239}
		},
		{0.36270711635225616, 0.5313798167065933, 0.07254865438548411,
		0.01404017377339638, 0.003613478096152711, 0.01571076068611729},
		0.985885204598352, "gamed", 0.0,
		{0.10696205457138298, 0.09882700073438587, 0.02446767118550405, 0.008845033340783792}
	},
	{
		"p021", 240, 0.9659256357144429, 0.6272210005674554, 1,
		{
			0.3870967741935484, 0.3870967741935484, 0.4838709677419355, 0.2903225806451613, 0.3870967741935484,
			0.3870967741935484, 0.7741935483870968, 0.2903225806451613, 0.4838709677419355, 0.3870967741935484,
			0.5806451612903226, 0.0967741935483871, 0.1935483870967742, 0.4838709677419355, 0.6774193548387097,
			0.5806451612903226, 0.0967741935483871, 0.5806451612903226, 0.1935483870967742, 0.3870967741935484,
			0.0967741935483871, 0.0967741935483871, 0.4838709677419355, 0.1935483870967742, 0.4838709677419355,
			0.2903225806451613, 0.5806451612903226, 0.967741935483871, 0.1935483870967742, 0.4838709677419355
		},
		{
			{1, 1, 0.07568437184962395, 0.1500331002530459, 232, 40.55372649955938},
			{2, 3, 0.4144618597238949, 0.26142130097285765, 208, 14.551805629717562},
			{3, 5, 0.42913338500505743, 0.345869562248985, 184, 7.536027027431091},
			{0, 1, -0.26943581625935176, 0.15481894589771955, 240, 45.58178587925191},
			{-1, 1, 0.15320789366541204, 0.15022325290696883, 232, 41.22654828971213}
		},
		{0.4122192317942744, 0.4397999813131283, 0.09177149823222959,
		0.02238480743084263, 0.0038523555550208327, 0.029972125674504246},
		0.4974020289559944, "insufficient_evidence", 0.0,
		{-0.04362789680851142, 0.0512476658534394, -0.004414611062252706, -0.10328946733217453}
	},
	{
		"p022", 240, 0.9155053875232991, 0.03800904600917294, 1,
		{
			0.6091370558375635, 0.30456852791878175, 0.9137055837563453, 0.40609137055837563, 1.015228426395939,
			0.9137055837563453, 1.015228426395939, 0.6091370558375635, 0.6091370558375635, 0.6091370558375635,
			0.40609137055837563, 0.40609137055837563, 0.8121827411167513, 0.8121827411167513, 0.7106598984771574,
			1.015228426395939, 0.10152284263959391, 0.40609137055837563, 0.30456852791878175, 0.30456852791878175,
			0.30456852791878175, 0.40609137055837563, 0.8121827411167513, 0.7106598984771574, 0.40609137055837563,
			0.8121827411167513, 0.5076142131979695, 1.116751269035533, 1.3197969543147208, 1.3197969543147208
		},
		{
			{1, 1, -2.8916715612618966, 1.87691496509515, 232, 0.2664679269415437},
			{2, 3, -2.5693707376275565, 2.15519320926478, 208, 0.21529949817331182},
			{3, 5, -5.938217941672003, 2.8639568539598184, 184, 0.10809019334846619},
			{0, 1, -3.4999610005636788, 1.8900770079826053, 240, 0.2823812778123498},
			{-1, 1, -1.4745665689904275, 2.058068534495871, 232, 0.24138980439115312}
		},
		{0.4676224838057755, 0.28065959608770624, 0.05995856490981981,
		0.08749737793385202, 0.04513306012789328, 0.05912891713495314},
		0.9692821616111025, "vanity", 0.9153241733438664,
		{0.12300911108720854, 0.050466489708811416, 0.012956362950624058, -0.010202328519825044}
	},
	{
		"p077", 233, 0.724705347375472, 0.5943702550363474, 1,
		{
			0.015873015873015876, 0.03174603174603175, 0.0, 0.0, 0.060468631897203334,
			0.055744520030234314, 0.027872260015117157, 0.0, 0.027872260015117157, 0.04180839002267573,
			0.027872260015117157, 0.0696806500377929, 0.0696806500377929, 0.027872260015117157, 0.055744520030234314,
			0.0, 0.04180839002267573, 0.0696806500377929, 0.027872260015117157, 0.08361678004535146,
			0.055744520030234314, 0.027872260015117157, 0.013936130007558578, 0.055744520030234314, 0.04180839002267573,
			0.027872260015117157, 0.0, 0.013936130007558578, 0.0, 0.027872260015117157
		},
		{
			{1, 1, -0.18649195503303462, 0.16021247430531788, 180, 24.971624065752053},
			{2, 3, 0.0835358046112722, 0.3012888587383232, 170, 7.799696690968016},
			{3, 5, 0.44194163164816, 0.5133136419112349, 147, 2.5986779000618063},
			{0, 1, -0.1845948118193268, 0.17345774518139226, 187, 22.59247113975031},
			{-1, 1, 0.36003618911395985, 0.18322315392218744, 179, 22.428289151862373}
		},
		{0.5249410784880391, 0.2518836819200155, 0.06946145969348382,
		0.023825158972931654, 0.00887816594401424, 0.1210104549815158},
		0.6484412777704777, "insufficient_evidence", 0.0,
		{0.1558663349499758, 0.5129536204980583, -0.022297448227120823, -0.11858443054962813}
	}
};

static bool
read_world(const char *world, Rows *rows)
{
	const char *path = shared_file("vanity_worlds/panel.csv");
	FILE	   *f = path ? fopen(path, "r") : NULL;
	char		line[256];

	start_rows(rows);
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
	{
		int			rep;
		int			week;
		double		x;
		double		y;

		if (strncmp(line, world, strlen(world)) == 0 && line[strlen(world)] == ',' &&
			sscanf(line + strlen(world), ",%d,%d,%lf,%lf", &rep, &week, &x, &y) == 4)
		{
			add_row(rows, rep, week, x, y);		/* reps count from 0 without gaps */
		}
	}
	fclose(f);
	return rows->panel.n > 0;
}

#define CLOSE(got, want, what) \
	ok(close_to(got, want, 1e-9, 1e-12), "%s: %s %.12g, want %.12g", gold->world, what, got, want)

static void
test_golden(const Golden *gold)
{
	static Rows rows;
	AmVanityFit fit;
	AmVanityPosterior posterior;
	AmVanityOptions options;
	AmVanityResult result;
	AmVfRows	scratch;
	bool		good = true;
	int			week = 0;
	bool		has_target = strcmp(gold->world, "p018") == 0;

	if (!read_world(gold->world, &rows))
	{
		skip(gold->world, "no vanity_worlds/panel.csv");
		return;
	}
	ok(rows.panel.n == gold->n, "%s: %d rows", gold->world, (int) gold->n);

	am_vf_init(&fit, &rows.panel, false, 0, NAN);
	for (size_t i = 0; i < rows.panel.n && rows.unit[i] == 0; i++)
		good = good && close_to(fit.mu[i], gold->mu[week++], 1e-12, 1e-15);
	ok(good && week > 0, "%s: expected outcome of the first rep", gold->world);
	CLOSE(fit.phi, gold->phi, "phi");
	CLOSE(fit.sd, gold->sd, "sd of the deviation");
	ok(fit.degree == gold->degree, "%s: degree %d", gold->world, fit.degree);

	am_vf_rows_alloc(&fit, &scratch);
	for (int i = 0; i < 5; i++)
	{
		AmVanityWindow window;
		const GoldenWindow *want = &gold->window[i];

		am_vf_window(&fit, want->from, want->width, &scratch, &window);
		ok(window.n == want->n && close_to(window.b, want->b, 1e-9, 1e-12) && close_to(window.se, want->se, 1e-9, 0) &&
		   close_to(window.information, want->information, 1e-9, 0),
		   "%s: window %d,%d: b %.12g, se %.12g", gold->world, want->from, want->width, window.b, window.se);
	}
	am_vf_rows_free(&scratch);

	am_vf_posterior(&fit, NULL, &posterior);
	if (has_target)
	{
		/* the reference splits at the target */
		am_vf_free(&fit);
		am_vf_init(&fit, &rows.panel, true, 13, NAN);
		am_vf_posterior(&fit, NULL, &posterior);
	}
	{
		CLOSE(posterior.nothing, gold->posterior[0], "p(nothing)");
		CLOSE(posterior.leads, gold->posterior[1], "p(leads)");
		CLOSE(posterior.weak, gold->posterior[2], "p(weakly leads)");
		CLOSE(posterior.wrong_way, gold->posterior[3], "p(wrong way)");
		CLOSE(posterior.same_week, gold->posterior[4], "p(same week)");
		CLOSE(posterior.follows, gold->posterior[5], "p(follows)");
	}
	am_vf_free(&fit);

	memset(&options, 0, sizeof(options));
	if (has_target)
	{
		options.has_target = true;
		options.target_from = 13;
		options.target_value = 60;
	}
	am_vanity(&rows.panel, &options, &result);
	ok(strcmp(am_vanity_verdict_name(result.verdict), gold->verdict) == 0, "%s: %s", gold->world, gold->verdict);
	CLOSE(result.only_rises, gold->only_rises, "only rises");
	CLOSE(result.raw_r, gold->decomposition[0], "raw r");
	CLOSE(result.size_share, gold->decomposition[1], "size share");
	CLOSE(result.time_share, gold->decomposition[2], "time share");
	CLOSE(result.within_share, gold->decomposition[3], "within share");

	/* with a target the reference's posterior is not determined by the text: the answer agrees, not the digits */
	ok(close_to(result.score, gold->score, has_target ? 0.02 : 1e-9, 0), "%s: score %.12g, want %.12g",
	   gold->world, result.score, gold->score);
	if (has_target)
	{
		AmGamingResult gaming;
		AmGamingSteps steps;

		AmGamingTarget target = {.from = 13, .value = 60};

		am_gaming_steps(&rows.panel, &target, &gaming, &steps, NULL);
		CLOSE(steps.bunch_share, 0.5661764705882353, "excess mass on the target");
		CLOSE(steps.bunch_z, 8.477420991472977, "its z");
		CLOSE(steps.dx, 0.46306718565849336, "jump of the metric");
		CLOSE(steps.dx_t, 4.297268710558172, "its t");
		CLOSE(gaming.bunch, 1.0, "bunch");
		CLOSE(gaming.surge, 0.9076679641462334, "surge");
		CLOSE(steps.pressure, 1.0, "pressure");
		ok(close_to(gaming.did, -0.6707, 0, 0.5) && close_to(gaming.fill, -0.5940, 0, 0.1) &&
		   close_to(gaming.yield, -0.1863, 0, 0.1), "%s: did %.3f fill %.3f yield %.3f near the reference",
		   gold->world, gaming.did, gaming.fill, gaming.yield);
		ok(close_to(result.p_gamed, 0.9755510171821605, 0, 0.02), "%s: p(gamed) %.4f near 0.9756",
		   gold->world, result.p_gamed);
	}
}

/*
 * Panels made here
 */
static unsigned long long seed;

static double
uniform(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((double) (seed >> 12) + 0.5) / 4503599627370496.0;
}

static double
poisson(double mean)
{
	double		limit = exp(-mean);
	double		product = uniform();
	double		count = 0;

	while (product > limit)
	{
		product *= uniform();
		count++;
	}
	return count;
}

/* reps of different size whose metric wanders; the outcome follows it "lag" weeks later with an elasticity */
static void
make_panel(Rows *rows, int units, int periods, int lag, double elasticity, unsigned long long start)
{
	seed = start;
	start_rows(rows);
	for (int r = 0; r < units; r++)
	{
		double		size = 0.5 + 2 * uniform();
		double		effort[512];

		for (int t = 0; t < periods; t++)
			effort[t] = exp(0.9 * (uniform() + uniform() - 1));
		for (int t = 0; t < periods; t++)
		{
			double		x = poisson(20 * effort[t]);
			double		driver = t >= lag ? rows->x[rows->panel.n - (size_t) lag] / 20 : 1;

			if (lag == 0)
				driver = x / 20;
			add_row(rows, r, t, x, poisson(1.2 * size * pow(driver, elasticity)));
		}
	}
}

static void
score(const Rows *rows, AmVanityResult *result)
{
	AmVanityOptions options;

	memset(&options, 0, sizeof(options));
	am_vanity(&rows->panel, &options, result);
}

/* nothing a reader sees may be NaN in the text, or outside its range */
static void
check_sane(const AmVanityResult *result, const char *what)
{
	char		text[512];

	am_vanity_sentence(result, NULL, "calls", "wins", "rep", "week", text, sizeof(text));
	ok(result->score >= 0 && result->score <= 1 && result->confidence >= 0 && result->confidence <= 1 &&
	   text[0] != '\0' && !strstr(text, "nan") && !strstr(text, "inf %"), "%s: score %.3f, %s: %s", what, result->score,
	   am_vanity_verdict_name(result->verdict), text);
}

static void
check_insufficient(const Rows *rows, const char *what)
{
	AmVanityResult result;

	score(rows, &result);
	ok(result.verdict == AM_VANITY_INSUFFICIENT && result.score == 0.5 && result.confidence == 0,
	   "%s: insufficient evidence", what);
	check_sane(&result, what);
}

static void
test_verdicts(void)
{
	static Rows rows;
	AmVanityResult result;

	make_panel(&rows, 20, 60, 3, 0.8, 11);
	score(&rows, &result);
	ok(result.verdict == AM_VANITY_LEADING && result.lag_from <= 3 && result.lag_to >= 3 && result.lag_to - result.lag_from <= 2,
	   "a planted lead is found at its lag (%d to %d)", result.lag_from, result.lag_to);
	ok(result.low < 0.8 && result.high > 0.6 && result.score < 0.1, "with its elasticity %.2f (%.2f to %.2f)",
	   result.elasticity, result.low, result.high);
	ok(result.n == 1200 && result.units == 20 && result.periods == 60 && result.max_lag == 12, "evidence is counted");
	check_sane(&result, "planted lead");
	for (int k = 1; k <= 3; k++)
	{
		static Rows shifted;

		/* the outcome k weeks later: row t shows what row t - k showed */
		copy_rows(&shifted, &rows);
		shifted.panel.n = 0;
		for (size_t i = 0; i < rows.panel.n; i++)
		{
			if (rows.period[i] >= k)
				add_row(&shifted, rows.unit[i], rows.period[i], rows.x[i], rows.y[i - (size_t) k]);
		}
		score(&shifted, &result);
		ok(result.verdict == AM_VANITY_LEADING && abs(result.lag_from + result.lag_to - 2 * (3 + k)) <= 2,
		   "outcome %d weeks later: lag %d to %d", k, result.lag_from, result.lag_to);
	}

	for (unsigned long long s = 1; s <= 20; s++)
	{
		make_panel(&rows, 20, 60, 1, 0, 100 + s);
		score(&rows, &result);
		ok(result.verdict != AM_VANITY_LEADING && result.verdict != AM_VANITY_OUTCOME && result.score > 0.5,
		   "noise %d is not leading (%s, %.2f)", (int) s, am_vanity_verdict_name(result.verdict), result.score);
	}

	make_panel(&rows, 20, 60, 0, 0.9, 31);
	score(&rows, &result);
	ok(result.verdict == AM_VANITY_DIAGNOSTIC && result.same_week > 0.8, "moves in the same week: diagnostic");
	check_sane(&result, "same week");

	make_panel(&rows, 20, 60, 3, 0.8, 41);
	for (size_t i = 1; i < rows.panel.n; i++)
	{
		if (rows.unit[i] == rows.unit[i - 1])
			rows.x[i] += rows.x[i - 1];
	}
	score(&rows, &result);
	ok(result.verdict == AM_VANITY_VANITY && result.only_rises > 0.9 && result.score > 0.9, "a running total is vanity");
	ok(result.p_progress > 0.9, "but its increase leads (%.3f)", result.p_progress);
	ok(result.falls == 0 && result.steps > 1100, "its steps are counted");
	check_sane(&result, "running total");

	make_panel(&rows, 10, 40, 1, 0, 51);
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.x[i] = rows.y[i];
	score(&rows, &result);
	ok(result.verdict == AM_VANITY_OUTCOME && result.is_outcome > 0.9, "the outcome itself is called so");
	check_sane(&result, "outcome itself");
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.x[i] = rows.y[i] * 1234.5;
	score(&rows, &result);
	ok(result.verdict == AM_VANITY_OUTCOME, "also in another currency");

	/* the more of it the less comes, though big reps have more of both */
	seed = 61;
	start_rows(&rows);
	for (int r = 0; r < 20; r++)
	{
		double		size = exp(2 * uniform());

		for (int t = 0; t < 60; t++)
		{
			double		x = poisson(8 * size);
			double		before = t > 0 ? rows.x[rows.panel.n - 1] / (8 * size) : 1;

			add_row(&rows, r, t, x, poisson(1.5 * size * pow(fmax(before, 0.1), -0.9)));
		}
	}
	score(&rows, &result);
	ok(result.verdict == AM_VANITY_VANITY && result.wrong_way > 0.8 && result.raw_r > 0.3 && result.elasticity < 0 &&
	   result.size_share > 0, "wrong way round within reps (r = %.2f)", result.raw_r);
	check_sane(&result, "wrong way");
}

static void
test_invariances(void)
{
	static Rows rows;
	static Rows other;
	AmVanityResult a;
	AmVanityResult b;

	make_panel(&rows, 12, 50, 2, 0.7, 71);
	score(&rows, &a);

	/* another order of the units */
	start_rows(&other);
	for (int32_t r = 11; r >= 0; r--)
	{
		for (size_t i = 0; i < rows.panel.n; i++)
		{
			if (rows.unit[i] == r)
				add_row(&other, 11 - r, rows.period[i], rows.x[i], rows.y[i]);
		}
	}
	score(&other, &b);
	ok(a.verdict == b.verdict && close_to(b.score, a.score, 1e-9, 1e-12) && close_to(b.elasticity, a.elasticity, 1e-9, 0) &&
	   close_to(b.size_share, a.size_share, 1e-9, 1e-12) && close_to(b.reliability, a.reliability, 1e-9, 0),
	   "names of units do not matter");

	for (int run = 0; run < 3; run++)
	{
		double		factor = run == 0 ? 7 : run == 1 ? 0.001 : 1e140;

		copy_rows(&other, &rows);
		for (size_t i = 0; i < rows.panel.n; i++)
			other.y[i] *= factor;
		score(&other, &b);
		ok(a.verdict == b.verdict && close_to(b.score, a.score, 1e-9, 1e-12) && close_to(b.elasticity, a.elasticity, 1e-9, 0) &&
		   close_to(b.low, a.low, 1e-9, 0) && close_to(b.size_share, a.size_share, 1e-9, 1e-12), "outcomes times %g: the same", factor);
	}

	copy_rows(&other, &rows);
	for (size_t i = 0; i < rows.panel.n; i++)
	{
		if (rows.unit[i] == 3)
			other.y[i] *= 4;
	}
	score(&other, &b);
	ok(a.verdict == b.verdict, "one unit's outcomes times 4: the same verdict");

	for (int run = 0; run < 3; run++)
	{
		int64_t		shift = run == 0 ? 3000 : run == 1 ? INT64_MIN : INT64_MAX - 49;

		copy_rows(&other, &rows);
		for (size_t i = 0; i < rows.panel.n; i++)
			other.period[i] += shift;
		score(&other, &b);
		ok(a.verdict == b.verdict && a.score == b.score && a.elasticity == b.elasticity,
		   "periods shifted by %g: the same", (double) shift);
	}
	am_vanity(&rows.panel, NULL, &b);
	ok(a.score == b.score, "no options are the default options");
}

static void
test_margins(void)
{
	static Rows rows;
	AmVanityFit fit;
	double		of_unit[12] = {0};
	double		of_period[40] = {0};
	double		total = 0;
	bool		good = true;

	make_panel(&rows, 12, 40, 2, 0.7, 81);
	for (size_t i = 0; i < rows.panel.n; i++)
	{
		of_unit[rows.unit[i]] += rows.y[i];
		of_period[rows.period[i]] += rows.y[i];
		total += rows.y[i];
	}
	am_vf_init(&fit, &rows.panel, false, 0, NAN);
	for (size_t i = 0; i < rows.panel.n; i++)
		good = good && close_to(fit.mu[i], of_unit[rows.unit[i]] * of_period[rows.period[i]] / total, 1e-12, 1e-15);
	ok(good, "balanced panel: expected = unit total x period total / total");
	am_vf_free(&fit);
}

/* which rows a window uses, and their means, against the definition, on a panel full of holes */
static void
test_windows(void)
{
	static Rows full;
	static Rows rows;
	AmVanityFit fit;
	AmVfRows	found;
	bool		good = true;

	make_panel(&full, 9, 40, 2, 0.7, 91);
	start_rows(&rows);
	for (size_t i = 0; i < full.panel.n; i++)
	{
		if (uniform() < 0.8)
			add_row(&rows, full.unit[i], full.period[i] - 20, full.x[i], full.y[i]);
	}
	am_vf_init(&fit, &rows.panel, false, 0, NAN);
	am_vf_rows_alloc(&fit, &found);
	for (int from = -4; from <= 9; from++)
	{
		for (int width = 1; width <= (from >= 1 ? 5 : 1); width += 2)
		{
			size_t		at = 0;

			am_vf_window_rows(&fit, from, width, &found);
			for (size_t i = 0; i < rows.panel.n; i++)
			{
				double		sum = 0;
				int			seen = 0;

				for (size_t j = 0; j < rows.panel.n; j++)
				{
					int64_t		lag = rows.period[i] - rows.period[j];

					if (rows.unit[i] == rows.unit[j] && lag >= from && lag < from + width)
					{
						sum += fit.d[j];
						seen++;
					}
				}
				if (seen < width || !(fit.mu[i] > 0))
					continue;
				good = good && at < found.m && found.row[at] == i && close_to(found.z[at], sum / width, 1e-9, 1e-12);
				at++;
			}
			good = good && at == found.m;
		}
	}
	ok(good, "windows of lags on a panel with holes");
	am_vf_rows_free(&found);
	am_vf_free(&fit);
}

static void
test_too_little(void)
{
	static Rows rows;

	start_rows(&rows);
	check_insufficient(&rows, "empty panel");
	add_row(&rows, 0, 5, 3, 1);
	check_insufficient(&rows, "one row");
	make_panel(&rows, 3, 6, 1, 0.5, 3);
	check_insufficient(&rows, "tiny panel");
	make_panel(&rows, 1, 100, 2, 0.8, 3);
	check_insufficient(&rows, "one unit");
	make_panel(&rows, 10, 30, 2, 0.8, 3);
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.y[i] = 0;
	check_insufficient(&rows, "no outcome");
	rows.y[7] = 1;
	check_insufficient(&rows, "one outcome");
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.y[i] = 1;
	check_insufficient(&rows, "outcome always the same");
	make_panel(&rows, 10, 30, 2, 0.8, 3);
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.x[i] = 12;
	check_insufficient(&rows, "constant metric");
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.x[i] = 10 + rows.unit[i];
	check_insufficient(&rows, "metric constant per unit");
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.x[i] = 10 + (double) (rows.period[i] % 7);
	check_insufficient(&rows, "metric the same for all units");
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.x[i] = 0;
	check_insufficient(&rows, "metric all zero");
	start_rows(&rows);
	for (int r = 0; r < 40; r++)
		add_row(&rows, r, 9, 5 + r % 7, r % 3);
	check_insufficient(&rows, "one period");
}

static void
test_extremes(void)
{
	static Rows rows;
	AmVanityResult result;

	make_panel(&rows, 10, 30, 2, 0.8, 5);
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.x[i] *= 1e150;
	score(&rows, &result);
	check_sane(&result, "metric times 1e150");
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.y[i] *= 1e150;
	score(&rows, &result);
	check_sane(&result, "both times 1e150");
	for (size_t i = 0; i < rows.panel.n; i++)
	{
		rows.x[i] = i % 3 == 0 ? 1.7e308 : 4e-320;
		rows.y[i] = i % 4 == 0 ? 1.7e308 : 4e-320;
	}
	score(&rows, &result);
	check_sane(&result, "largest and smallest numbers");
	make_panel(&rows, 10, 30, 2, 0.8, 5);
	for (size_t i = 0; i < rows.panel.n; i++)
	{
		rows.x[i] = -rows.x[i];
		rows.y[i] = i % 2 == 0 ? -rows.y[i] : rows.y[i];
	}
	score(&rows, &result);
	check_sane(&result, "negative numbers");
	make_panel(&rows, 10, 30, 2, 0.8, 5);
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.period[i] = rows.period[i] < 15 ? INT64_MIN + rows.period[i] : INT64_MAX - 40 + rows.period[i];
	score(&rows, &result);
	check_sane(&result, "periods far apart");
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.period[i] = (int64_t) (i % 30) * 1000;
	score(&rows, &result);
	check_sane(&result, "no two periods adjacent");
	make_panel(&rows, 400, 2, 1, 0.8, 5);
	score(&rows, &result);
	check_sane(&result, "two periods");
	make_panel(&rows, 2, 30, 1, 0.8, 5);
	score(&rows, &result);
	check_sane(&result, "two units");
	start_rows(&rows);
	for (int r = 0; r < 500; r++)
		add_row(&rows, r, r, r % 13, r % 4);
	score(&rows, &result);
	check_sane(&result, "one row per unit");

	for (unsigned long long s = 0; s < 60; s++)
	{
		AmVanityOptions options;
		int			units = 1 + (int) (s % 6);
		char		what[32];

		make_panel(&rows, units, 5 + (int) (s * 7 % 40), 1, 0.5, 1000 + s);
		for (size_t i = 0; i < rows.panel.n; i++)
		{
			double		u = uniform();

			if (u < 0.2)
				rows.x[i] = 0;
			if (u > 0.7)
				rows.y[i] = s % 3 == 0 ? floor(uniform() * 1e6) : s % 3 == 1 ? uniform() : 0;
			rows.quality[i] = u < 0.5 ? uniform() : u < 0.6 ? 0 : NAN;
		}
		rows.panel.quality = rows.quality;
		memset(&options, 0, sizeof(options));
		options.has_target = s % 2 == 0;
		options.target_from = (int64_t) (s % 11);
		options.target_value = s % 5 == 0 ? NAN : 15;
		options.lag_prior_from = s % 4 == 3 ? 2 : 0;
		options.lag_prior_to = s % 4 == 3 ? (int) (s % 9) : 0;
		am_vanity(&rows.panel, &options, &result);
		snprintf(what, sizeof(what), "rough panel %d", (int) s);
		check_sane(&result, what);
	}
}

static void
test_options(void)
{
	static Rows rows;
	AmVanityOptions options;
	AmVanityResult plain;
	AmVanityResult result;

	make_panel(&rows, 8, 30, 4, 0.5, 8);
	score(&rows, &plain);
	memset(&options, 0, sizeof(options));
	options.lag_prior_from = 3;
	options.lag_prior_to = 5;
	am_vanity(&rows.panel, &options, &result);
	ok(result.p_leads + result.p_weak > plain.p_leads + plain.p_weak && result.lag_from >= 3 && result.lag_to <= 5,
	   "knowing the lag makes it surer (%.3f, without %.3f)", result.p_leads + result.p_weak, plain.p_leads + plain.p_weak);
	options.lag_prior_from = options.lag_prior_to = 11;
	am_vanity(&rows.panel, &options, &result);
	ok(result.verdict == AM_VANITY_INSUFFICIENT, "a lag beyond what the panel can show: insufficient");

	/* only the substantive part brings anything */
	seed = 8;
	start_rows(&rows);
	for (int r = 0; r < 20; r++)
	{
		double		real = 10;

		for (int t = 0; t < 60; t++)
		{
			double		before = real;
			double		junk = poisson(40 * uniform());

			real = 1 + poisson(12 * exp(uniform() - 0.5));
			add_row(&rows, r, t, real + junk, poisson(2 * before / 12));
			rows.quality[rows.panel.n - 1] = real / (real + junk);
		}
	}
	score(&rows, &plain);
	rows.panel.quality = rows.quality;
	score(&rows, &result);
	ok(isnan(plain.quality_gain) && result.quality_gain > 0.3 && result.only_substance > 0.9 &&
	   result.verdict == AM_VANITY_VANITY, "quality: only the substantive part leads (gain %.2f)", result.quality_gain);
	check_sane(&result, "junk volume");
	make_panel(&rows, 20, 60, 3, 0.8, 11);
	score(&rows, &plain);
	for (size_t i = 0; i < rows.panel.n; i++)
		rows.quality[i] = 0.3 + 0.4 * uniform();
	rows.panel.quality = rows.quality;
	score(&rows, &result);
	ok(result.verdict == AM_VANITY_LEADING && result.only_substance < 0.1, "quality without meaning changes nothing");

	/* no more return above the usual level */
	seed = 9;
	start_rows(&rows);
	for (int r = 0; r < 60; r++)
	{
		for (int t = 0; t < 100; t++)
		{
			double		before = t > 1 ? rows.x[rows.panel.n - 2] : 20;

			add_row(&rows, r, t, poisson(20 * exp(1.2 * (uniform() - 0.5))), poisson(4 * fmin(before, 16) / 16));
		}
	}
	score(&rows, &result);
	ok(result.saturated == 1, "saturation is seen");
	make_panel(&rows, 60, 100, 2, 0.8, 9);
	score(&rows, &result);
	ok(result.saturated == 0, "and not where there is none");
	ok(result.reliability >= -1 && result.reliability <= 1 && result.empty_high >= 0 && result.empty_high <= 1,
	   "reliability %.2f, empty high %.2f", result.reliability, result.empty_high);
}

/* half of the reps fill up to the target; fake: without payoff */
static void
make_target(Rows *rows, bool fake, unsigned long long start)
{
	seed = start;
	start_rows(rows);
	for (int r = 0; r < 20; r++)
	{
		double		paid[64];

		for (int t = 0; t < 60; t++)
		{
			double		x = poisson(20 * exp(1.2 * (uniform() - 0.5)));

			paid[t] = x;
			if (t >= 30 && r % 2 == 0)
			{
				if (fake && x < 40)
					x = 40 + floor(3 * uniform());
				else if (!fake)
				{
					x = poisson(38 * exp(1.2 * (uniform() - 0.5)));
					paid[t] = x;
				}
			}
			add_row(rows, r, t, x, poisson(1.5 * pow((t >= 2 ? paid[t - 2] : 20) / 20, 0.8)));
		}
	}
}

static void
test_gaming(void)
{
	static Rows rows;
	AmGamingResult gaming;
	AmVanityOptions options;
	AmVanityResult result;
	double		suspicion[20];
	bool		ranked = true;
	char		text[512];

	make_target(&rows, true, 13);
	game(&rows.panel, 30, 40, &gaming, suspicion);
	ok(gaming.p_gamed > 0.95 && gaming.bunch == 1 && gaming.fill > 1, "filling up to a target is seen (%.3f)", gaming.p_gamed);
	ok(gaming.n_before == 600 && gaming.n_after == 600 && gaming.share_at_target > gaming.share_before, "counts and shares");
	for (int r = 0; r < 20; r += 2)
	{
		for (int s = 1; s < 20; s += 2)
			ranked = ranked && suspicion[r] > suspicion[s];
	}
	ok(ranked, "suspicion ranks those who do it above those who do not");
	memset(&options, 0, sizeof(options));
	options.has_target = true;
	options.target_from = 30;
	options.target_value = 40;
	am_vanity(&rows.panel, &options, &result);
	ok(result.verdict == AM_VANITY_GAMED && result.score > 0.9 && result.p_gamed == gaming.p_gamed, "verdict gamed");
	am_vanity_sentence(&result, &options, "calls", "wins", "rep", "week", text, sizeof(text));
	ok(strncmp(text, "Since the target of 40, ", 24) == 0 && strstr(text, "of rep-weeks sit at 40-43"), "%s", text);
	game(&rows.panel, 30, NAN, &gaming, NULL);
	ok(isnan(gaming.bunch) && isnan(gaming.fill) && gaming.surge >= 0, "without a value: no bunching, but a surge");

	make_target(&rows, false, 13);
	game(&rows.panel, 30, 40, &gaming, NULL);
	am_gaming_sentence(&gaming, 40, "calls", "wins", "rep", "week", text, sizeof(text));
	ok(gaming.p_gamed < 0.3 && strncmp(text, "No sign", 7) == 0, "honest work is not (%.3f): %s", gaming.p_gamed, text);

	for (int run = 0; run < 4; run++)
	{
		int64_t		from = run == 0 ? 0 : run == 1 ? 60 : run == 2 ? INT64_MIN : INT64_MAX;

		game(&rows.panel, from, 40, &gaming, suspicion);
		am_gaming_sentence(&gaming, 40, "calls", "wins", "rep", "week", text, sizeof(text));
		ok(isnan(gaming.p_gamed) && isnan(suspicion[0]) && !strstr(text, "nan"), "date outside the panel: %s", text);
	}
	rows.panel.n = 0;
	rows.panel.n_units = 0;
	game(&rows.panel, 30, 40, &gaming, NULL);
	ok(isnan(gaming.p_gamed), "empty panel");
}

static void
test_words(void)
{
	AmVanityResult result;
	char		text[512];
	char		tiny[12];

	am_vw_number(2080, text, sizeof(text));
	ok(strcmp(text, "2,080") == 0, "2,080");
	am_vw_number(1234567, text, sizeof(text));
	ok(strcmp(text, "1,234,567") == 0, "1,234,567");
	am_vw_number(-1030, text, sizeof(text));
	ok(strcmp(text, "-1,030") == 0, "-1,030");
	am_vw_number(2.5, text, sizeof(text));
	ok(strcmp(text, "2.5") == 0, "2.5");
	am_vw_count(1, "week", text, sizeof(text));
	ok(strcmp(text, "1 week") == 0, "1 week");
	am_vw_count(4, "day", text, sizeof(text));
	ok(strcmp(text, "4 days") == 0, "4 days");
	am_vw_count(1000, "company", text, sizeof(text));
	ok(strcmp(text, "1,000 companies") == 0, "1,000 companies");
	am_vw_percent(0.0612, text, sizeof(text));
	ok(strcmp(text, "6 %") == 0, "6 %%");
	am_vw_percent(-0.004, text, sizeof(text));
	ok(strcmp(text, "0.4 %") == 0, "0.4 %%");

	memset(&result, 0, sizeof(result));
	result.verdict = AM_VANITY_LEADING;
	result.lag_from = 3;
	result.lag_to = 5;
	result.elasticity = 0.611;
	result.n = 2080;
	result.confidence = 0.98;
	am_vanity_sentence(&result, NULL, "calls", "wins", "rep", "week", text, sizeof(text));
	ok(strcmp(text, "When a rep has 10 % more calls than usual for them and that week, wins run 6 % higher about 4 weeks later"
			  " (2,080 rep-weeks, probability 0.98).") == 0, "%s", text);
	result.lag_from = result.lag_to = 1;
	am_vanity_sentence(&result, NULL, "calls", "wins", "rep", "week", text, sizeof(text));
	ok(strstr(text, "about 1 week later") != NULL, "singular");
	am_vanity_sentence(&result, NULL, "calls", "wins", "rep", "week", tiny, sizeof(tiny));
	ok(strlen(tiny) == sizeof(tiny) - 1, "cut to the room there is");
	result.verdict = AM_VANITY_OUTCOME;
	am_vanity_sentence(&result, NULL, "caf\303\251\303\251\303\251\303\251\303\251", "wins", "rep", "week", tiny, sizeof(tiny));
	ok(strcmp(tiny, "Caf\303\251\303\251\303\251\303\251") == 0, "but not within a character");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++)
		test_golden(&golden[i]);
	test_verdicts();
	test_invariances();
	test_margins();
	test_windows();
	test_too_little();
	test_extremes();
	test_options();
	test_gaming();
	test_words();
	return done_testing();
}
