/*
 * Distribution functions against 50-digit values, closed forms and one
 * another.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "tap.h"

#include <float.h>

#include "common/am_host.h"
#include "stats/distributions.h"

#define RTOL 1e-12

/* the normal functions and the quantiles have no excuse for more */
#define RTOL_SHARP 1e-14

static const char *const names[] = {
	"norm_cdf", "norm_sf", "norm_quantile", "t_sf", "t_two_sided", "t_quantile",
	"f_cdf", "f_sf", "chi2_sf", "betainc", "betainc_complement", "correlation_p"
};

#define N_NAMES ((int) (sizeof(names) / sizeof(names[0])))

static double
call(int which, const double *arg)
{
	switch (which)
	{
		case 0:
			return am_norm_cdf(arg[0]);
		case 1:
			return am_norm_sf(arg[0]);
		case 2:
			return am_norm_quantile(arg[0]);
		case 3:
			return am_t_sf(arg[0], arg[1]);
		case 4:
			return am_t_two_sided(arg[0], arg[1]);
		case 5:
			return am_t_quantile(arg[0], arg[1]);
		case 6:
			return am_f_cdf(arg[0], arg[1], arg[2]);
		case 7:
			return am_f_sf(arg[0], arg[1], arg[2]);
		case 8:
			return am_chi2_sf(arg[0], arg[1]);
		case 9:
			return am_betainc(arg[0], arg[1], arg[2]);
		case 10:
			return am_betainc_complement(arg[0], arg[1], arg[2]);
		case 11:
			return am_correlation_p(arg[0], arg[1]);
	}
	return NAN;
}

static int
find_name(const char *name)
{
	int			i;

	for (i = 0; i < N_NAMES; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

static double
allowed(int which)
{
	return which <= 2 || which == 5 ? RTOL_SHARP : RTOL;
}

static double
relative_error(double got, double want)
{
	if (close_to(got, want, 0, 0))
		return 0;
	if (isnan(got) || isnan(want) || want == 0)
		return INFINITY;
	return fabs(got / want - 1);
}

/* the worst error per function, and how often it was called */
static double worst[N_NAMES];
static int	calls[N_NAMES];

static void
compare(int which, const double *arg, double want)
{
	double		error = relative_error(call(which, arg), want);

	calls[which]++;
	if (error > worst[which])
		worst[which] = error;
	if (!(error <= allowed(which)))
		printf("# %s(%.17g, %.17g, %.17g) = %.17g, not %.17g\n",
			   names[which], arg[0], arg[1], arg[2], call(which, arg), want);
}

static void
report(const char *source)
{
	int			i;

	for (i = 0; i < N_NAMES; i++)
		if (calls[i] > 0)
		{
			ok(worst[i] <= allowed(i), "%s: %s, %d values, worst relative error %.1e",
			   source, names[i], calls[i], worst[i]);
			calls[i] = 0;
			worst[i] = 0;
		}
}

static void
test_golden(void)
{
	const char *path = shared_file("golden/expected/special_functions.csv");
	FILE	   *f;
	char		line[512];
	int			unknown = 0;

	if (!path)
	{
		skip("special_functions.csv", "no golden files");
		return;
	}
	f = fopen(path, "r");
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	while (fgets(line, sizeof(line), f))
	{
		char	   *args = strchr(line, ',');
		char	   *value = args ? strrchr(line, ',') : NULL;
		double		arg[3] = {0, 0, 0};
		int			which,
					i;

		if (!args || args == value)
			continue;
		*args++ = '\0';
		for (i = 0; i < 3 && args < value; i++)
			arg[i] = strtod(args, &args), args++;
		which = find_name(line);
		if (which < 0)
			unknown++;
		else
			compare(which, arg, strtod(value + 1, NULL));
	}
	fclose(f);
	ok(unknown == 0, "every function of special_functions.csv is known");
	report("golden");
}

/* recomputed in 60-digit arithmetic from the doubles given (mpmath) */
static const struct
{
	const char *name;
	double		arg[3];
	double		value;
}			literals[] =
{
	{"norm_sf", {37.0, 0, 0}, 5.7255712225245771e-300},
	{"norm_sf", {1.959963984540054, 0, 0}, 0.025000000000000012},
	{"norm_sf", {20.699518763149932, 0, 0}, 1.7492303906695569e-95},
	{"norm_cdf", {-4.0, 0, 0}, 3.1671241833119924e-05},
	{"norm_cdf", {5.0, 0, 0}, 0.99999971334842808},
	{"norm_quantile", {1e-300, 0, 0}, -37.047096299361201},
	{"norm_quantile", {1e-10, 0, 0}, -6.3613409024040566},
	{"norm_quantile", {0.3, 0, 0}, -0.52440051270804078},
	{"norm_quantile", {0.975, 0, 0}, 1.9599639845400538},
	{"t_sf", {-2.5, 7.0, 0}, 0.97950389070712351},
	{"t_sf", {1e-9, 5.0, 0}, 0.49999999962039332},
	{"t_two_sided", {39.0, 100.0, 0}, 2.6622633111479723e-62},
	{"t_two_sided", {3.0, 58.73, 0}, 0.0039568721531485461},
	{"t_two_sided", {10.0, 1e6, 0}, 1.5278610768178251e-23},
	{"t_two_sided", {2.0, 4.5, 0}, 0.10825790718112502665},
	{"t_two_sided", {1.959963984540054, 1e4, 0}, 0.050027730574472277633},
	{"t_two_sided", {30.0, 1e4, 0}, 2.0443270474255706663e-189},
	{"t_two_sided", {0.001, 1e5, 0}, 0.99920211756688778075},
	{"t_two_sided", {1.0, 1e6, 0}, 0.31731074983357812928},
	{"t_two_sided", {37.0, 1e6, 0}, 1.8299730861802263061e-299},
	{"t_two_sided", {700.0, 150.5, 0}, 2.984329110602089498e-266},
	{"t_two_sided", {0.3, 0.25, 0}, 0.87936590794669867075},
	{"t_two_sided", {3.5, 1e9, 0}, 0.00046525817830638034407},
	{"t_quantile", {0.975, 58.73, 0}, 2.0011878739441706},
	{"t_quantile", {1e-10, 3.0, 0}, -2225.7692846830931927},
	{"t_quantile", {0.5 + 0x1p-40, 7.0, 0}, 2.3623763587653688891e-12},
	{"t_quantile", {0.6, 1.5, 0}, 0.30074539256979535288},
	{"t_quantile", {0.025, 1e6, 0}, -1.9599663568141070115},
	{"t_quantile", {1e-250, 100.0, 0}, -3061.9348800647640745},
	{"t_quantile", {0.999, 0.5, 0}, 102849.11563017537133},
	{"correlation_p", {0.5, 10.0, 0}, 0.0978546142578125},
	{"correlation_p", {-0.999999, 5.0, 0}, 1.9206737790070691634e-15},
	{"correlation_p", {0.01, 1e6, 0}, 1.5201662808277492242e-23},
	{"correlation_p", {0.95, 148.0, 0}, 1.0577458360575337808e-76},
	{"correlation_p", {-0.3, 3.7, 0}, 0.58035346971344508365},
	{"f_sf", {1004.38, 3.0, 140.0}, 1.925459651048828e-94},
	{"f_sf", {3.0, 100.0, 1e5}, 8.2100844905524348e-22},
	{"f_sf", {1.02, 1e4, 1e4}, 0.16106298252340192136},
	{"f_sf", {1.3, 1e4, 7.0}, 0.38685203182870981787},
	{"f_sf", {25.0, 12.0, 1e6}, 4.7957387949527875902e-57},
	{"f_sf", {2.2, 0.5, 3.5}, 0.19120350857543306322},
	{"f_sf", {900.0, 20.0, 350.0}, 5.4707011880071829104e-287},
	{"f_cdf", {0.001, 4.0, 9.0}, 2.4397425043649121e-06},
	{"f_cdf", {0.9, 2e4, 1e4}, 4.6980007012086139054e-10},
	{"f_cdf", {1e-9, 6.0, 8.0}, 8.4374999667773454062e-27},
	{"f_cdf", {0.001, 60.0, 50.0}, 3.1236896718842421327e-73},
	{"chi2_sf", {3.84, 1.0, 0}, 0.050043521248705106},
	{"chi2_sf", {200.0, 100.0, 0}, 1.1784500720979422e-08},
	{"chi2_sf", {1100.0, 1000.0, 0}, 0.014614408126295194045},
	{"chi2_sf", {0.001, 1.0, 0}, 0.97477287936996038828},
	{"chi2_sf", {850.0, 1000.0, 0}, 0.99978674000229702381},
	{"chi2_sf", {10400.0, 1e4, 0}, 0.0025848134953538086508},
	{"chi2_sf", {1300.0, 9.5, 0}, 1.0959069831288255656e-273},
	{"betainc", {70.0, 0.5, 0.05}, 5.8476073408156545e-93},
	{"betainc", {0.01, 0.01, 0.7}, 0.50417638639761797},
	{"betainc", {3.5, 1e6, 2e-6}, 0.2202236281523024675},
	{"betainc", {5e5, 0.5, 0.9999}, 1.5201662808362064813e-23},
	{"betainc", {1e5, 2e5, 0.3325}, 0.16646746878671999119},
	{"betainc", {0.2, 0.3, 0.999}, 0.94583205474171713226},
	{"betainc_complement", {5.0, 1e6, 1e-5}, 0.029251363932457596},
	{"betainc_complement", {3.5, 1e6, 2e-6}, 0.7797763718476975325},
	{"betainc_complement", {1e5, 2e5, 0.3325}, 0.83353253121328000881},
	{"betainc_complement", {0.2, 0.3, 0.999}, 0.05416794525828286774},
};

static void
test_literals(void)
{
	size_t		i;

	for (i = 0; i < sizeof(literals) / sizeof(literals[0]); i++)
		compare(find_name(literals[i].name), literals[i].arg, literals[i].value);
	report("literal");
}

static void
note(double *most, double got, double want)
{
	double		error = relative_error(got, want);

	if (error > *most)
		*most = error;
}

static void
test_closed_forms(void)
{
	static const double ts[] = {1e-8, 0.01, 0.5, 1, 1.7, 3, 12, 400, 1e7, 1e120};
	static const double xs[] = {1e-12, 0.001, 0.2, 0.5, 0.77, 0.99};
	const double pi = 3.14159265358979323846;
	double		cauchy = 0,
				t2 = 0,
				exponential = 0,
				power = 0,
				squares = 0,
				correlations = 0;
	size_t		i,
				j;

	for (i = 0; i < sizeof(ts) / sizeof(ts[0]); i++)
	{
		double		t = ts[i];
		double		root = sqrt(2 + t * t);

		note(&cauchy, am_t_two_sided(t, 1), 2 / pi * atan2(1, t));
		note(&t2, am_t_two_sided(-t, 2), 2 / (root * (root + t)));
		if (t < 1000)
			note(&exponential, am_chi2_sf(t, 2), exp(-0.5 * t));
	}
	for (i = 0; i < sizeof(xs) / sizeof(xs[0]); i++)
		for (j = 1; j <= 40; j++)
		{
			note(&power, am_betainc(0.25 * j, 1, xs[i]), pow(xs[i], 0.25 * j));
			note(&power, am_betainc(1, 0.25 * j, xs[i]), -expm1(0.25 * j * log1p(-xs[i])));
			note(&power, am_betainc_complement(1, 0.25 * j, xs[i]), exp(0.25 * j * log1p(-xs[i])));
		}
	for (j = 1; j <= 3000; j = j * 2 + 1)
		for (i = 0; i < 60; i++)
		{
			double		t = 0.01 + 0.2 * i;
			double		p = am_t_two_sided(t, j);

			if (p < 1e-290)
				continue;
			note(&squares, am_f_sf(t * t, 1, j), p);
			note(&squares, am_f_cdf(1 / (t * t), j, 1), p);
			if (i < 20)
				note(&correlations, am_correlation_p(-t / sqrt(j + t * t), j), p);
		}
	ok(cauchy < RTOL, "t with 1 df is Cauchy's (worst %.1e)", cauchy);
	ok(t2 < RTOL, "t with 2 df in closed form (worst %.1e)", t2);
	ok(exponential < RTOL, "chi-square with 2 df is exponential (worst %.1e)", exponential);
	ok(power < RTOL, "beta with a = 1 or b = 1 is a power (worst %.1e)", power);
	ok(squares < RTOL, "F with 1 df is t squared, either way up (worst %.1e)", squares);
	ok(correlations < RTOL, "correlation and t give the same p (worst %.1e)", correlations);
}

/* beta and gamma of whole parameters are sums of binomial and Poisson terms */
static void
test_sums(void)
{
	double		binomial = 0,
				poisson = 0,
				symmetry = 0;
	int			n,
				a,
				k;

	for (n = 1; n <= 40; n += 3)
		for (a = 1; a <= n; a++)
			for (k = 1; k < 16; k++)
			{
				double		x = k / 16.0;
				double		term = pow(1 - x, n);
				double		below = 0,
							above = 0;
				int			i;

				for (i = 0; i <= n; i++)
				{
					if (i < a)
						below += term;
					else
						above += term;
					term *= (n - i) * x / ((i + 1) * (1 - x));
				}
				note(&binomial, am_betainc(a, n - a + 1, x), above);
				note(&binomial, am_betainc_complement(a, n - a + 1, x), below);
				note(&symmetry, am_betainc(a + 0.3, n - a + 0.6, x),
					 am_betainc_complement(n - a + 0.6, a + 0.3, 1 - x));
			}
	for (a = 1; a <= 60; a += 7)
		for (k = 1; k <= 200; k += 13)
		{
			double		term = exp(-k);
			double		sum = 0;
			int			i;

			for (i = 0; i < a; i++)
			{
				sum += term;
				term *= k / (i + 1.0);
			}
			note(&poisson, am_chi2_sf(2.0 * k, 2.0 * a), sum);
		}
	ok(binomial < RTOL, "beta sums binomial terms, both tails (worst %.1e)", binomial);
	ok(symmetry < RTOL, "I_x(a, b) = 1 - I_(1-x)(b, a) (worst %.1e)", symmetry);
	ok(poisson < RTOL, "chi-square sums Poisson terms (worst %.1e)", poisson);
}

static void
test_quantiles(void)
{
	static const double dfs[] = {0.3, 0.5, 1, 2.5, 7, 30, 1000, 1e6, 1e12};
	double		normal = 0,
				student = 0,
				mirror = 0,
				worst_z = 0;
	bool		rising = true;
	size_t		i;
	int			k;

	for (k = 1; k < 1000; k++)
	{
		double		p = k < 500 ? pow(10, -0.6 * (500 - k)) : 0.001 * k;
		double		z = am_norm_quantile(p);

		/* a tail is z squared times as sensitive as z */
		normal = 0;
		note(&normal, z > 0 ? am_norm_sf(z) : am_norm_cdf(z), z > 0 ? 1 - p : p);
		worst_z = fmax(worst_z, normal / (1 + z * z));
		if (p > 0.2 && p <= 0.5)
			note(&mirror, am_norm_quantile(1 - p), -z);
	}
	for (i = 0; i < sizeof(dfs) / sizeof(dfs[0]); i++)
	{
		double		before = -INFINITY;

		for (k = 1; k < 200; k++)
		{
			double		p = k < 100 ? pow(10, -0.3 * (100 - k)) * 0.5 : 0.005 * k;
			double		t = am_t_quantile(p, dfs[i]);

			note(&student, am_t_sf(fabs(t), dfs[i]), t > 0 ? 1 - p : p);
			if (!(t > before))
				rising = false;
			before = t;
		}
	}
	ok(worst_z < 1e-15, "the normal quantile leads back, to 1e-300 (worst %.1e of z)", worst_z);
	ok(mirror < RTOL, "the normal quantile is odd (worst %.1e)", mirror);
	ok(student < RTOL, "the t quantile leads back (worst %.1e)", student);
	ok(rising, "the t quantile rises with p");
}

static int	interrupts;

static void
count_interrupt(void)
{
	interrupts++;
}

static void
test_limits(void)
{
	bool		sane = true;
	int			i,
				j;

	ok(am_norm_quantile(0) == -INFINITY && am_norm_quantile(1) == INFINITY &&
	   am_norm_quantile(0.5) == 0 && am_t_quantile(0, 3) == -INFINITY &&
	   am_t_quantile(1, 3) == INFINITY && am_t_quantile(0.5, 3) == 0,
	   "quantiles at 0, 1/2 and 1");
	ok(am_norm_sf(INFINITY) == 0 && am_norm_sf(-INFINITY) == 1 && am_norm_cdf(INFINITY) == 1,
	   "normal at infinity");
	ok(am_t_two_sided(0, 4) == 1 && am_t_two_sided(INFINITY, 4) == 0 &&
	   am_t_sf(-INFINITY, 4) == 1 && am_t_sf(0, 4) == 0.5, "t at 0 and infinity");
	ok(am_t_two_sided(2, INFINITY) == 2 * am_norm_sf(2) &&
	   close_to(am_t_two_sided(2, 1e300), 2 * am_norm_sf(2), RTOL, 0) &&
	   close_to(am_t_quantile(0.975, 1e300), am_norm_quantile(0.975), RTOL, 0),
	   "t with endless df is normal");
	ok(am_f_sf(0, 2, 3) == 1 && am_f_cdf(-1, 2, 3) == 0 && am_f_sf(INFINITY, 2, 3) == 0 &&
	   am_f_cdf(INFINITY, 2, 3) == 1, "F at 0 and infinity");
	ok(close_to(am_f_sf(2, 5, INFINITY), am_chi2_sf(10, 5), 0, 0) &&
	   close_to(am_f_sf(2, 5, 1e15), am_chi2_sf(10, 5), RTOL, 0) &&
	   close_to(am_f_cdf(0.5, INFINITY, 5), am_chi2_sf(10, 5), 0, 0),
	   "F with endless df is chi-square");
	ok(am_chi2_sf(0, 3) == 1 && am_chi2_sf(-2, 3) == 1 && am_chi2_sf(INFINITY, 3) == 0,
	   "chi-square at 0 and infinity");
	ok(am_betainc(2, 3, 0) == 0 && am_betainc_complement(2, 3, 0) == 1 &&
	   am_betainc(2, 3, 1) == 1 && am_betainc_complement(2, 3, 1) == 0, "beta at 0 and 1");
	ok(am_correlation_p(0, 9) == 1 && am_correlation_p(1, 9) == 0 && am_correlation_p(-1, 9) == 0,
	   "correlation at 0 and 1");

	for (i = -300; i <= 300; i += 25)
		for (j = -6; j <= 12; j += 2)
		{
			double		x = pow(10, i);
			double		df = 3 * pow(10, j);
			double		p = am_t_two_sided(x, df);
			double		q = am_f_sf(x, df, 7) + am_f_cdf(x, 7, df);

			if (!(p >= 0 && p <= 1 && q >= 0 && q <= 2))
				sane = false;
		}
	ok(sane, "t and F stay probabilities from 1e-300 to 1e300");

	am_host_interrupts = count_interrupt;
	ok(close_to(am_f_sf(1, 1e14, 1e14), 0.5, RTOL, 0) && interrupts > 0,
	   "F with huge df is right and can be interrupted");
	am_host_interrupts = NULL;
}

static void
test_bad_input(void)
{
	ok(isnan(am_norm_cdf(NAN)) && isnan(am_norm_sf(NAN)), "normal: NaN");
	ok(isnan(am_norm_quantile(NAN)) && isnan(am_norm_quantile(-0.1)) &&
	   isnan(am_norm_quantile(1.1)), "normal quantile: p outside [0, 1]");
	ok(isnan(am_t_sf(NAN, 3)) && isnan(am_t_two_sided(1, NAN)) && isnan(am_t_sf(1, 0)) &&
	   isnan(am_t_two_sided(1, -2)), "t: NaN, df not above 0");
	ok(isnan(am_t_quantile(NAN, 3)) && isnan(am_t_quantile(0.3, 0)) &&
	   isnan(am_t_quantile(1.5, 3)) && isnan(am_t_quantile(-1, 3)) &&
	   isnan(am_t_quantile(0.5, NAN)), "t quantile: p or df outside");
	ok(isnan(am_f_cdf(NAN, 1, 1)) && isnan(am_f_sf(1, 0, 1)) && isnan(am_f_sf(1, 1, -1)) &&
	   isnan(am_f_cdf(1, NAN, 1)) && isnan(am_f_sf(1, INFINITY, INFINITY)), "F: NaN, df not above 0");
	ok(isnan(am_chi2_sf(NAN, 1)) && isnan(am_chi2_sf(1, 0)) && isnan(am_chi2_sf(1, -1)) &&
	   isnan(am_chi2_sf(1, NAN)), "chi-square: NaN, df not above 0");
	ok(isnan(am_betainc(0, 1, 0.5)) && isnan(am_betainc(1, -1, 0.5)) &&
	   isnan(am_betainc(1, 1, -0.1)) && isnan(am_betainc_complement(1, 1, 1.1)) &&
	   isnan(am_betainc_complement(NAN, 1, 0.5)) && isnan(am_betainc(1, 1, NAN)),
	   "beta: arguments outside");
	ok(isnan(am_correlation_p(1.01, 3)) && isnan(am_correlation_p(NAN, 3)) &&
	   isnan(am_correlation_p(0.5, 0)) && isnan(am_correlation_p(0.5, -3)) &&
	   isnan(am_correlation_p(0.5, NAN)), "correlation: arguments outside");
}

int
main(void)
{
	test_golden();
	test_literals();
	test_closed_forms();
	test_sums();
	test_quantiles();
	test_limits();
	test_bad_input();
	return done_testing();
}
