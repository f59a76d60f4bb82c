--
-- Statistics of series: an array holds one value per period, in order of time. Lag k > 0: x leads y by k periods.
--

CREATE FUNCTION activity_metrics.difference(x double precision[], d integer DEFAULT 1, times integer DEFAULT 1) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'am_difference_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.difference(double precision[], integer, integer) IS
'The series of differences x[t] - x[t - d], taken times times: d * times values less than x has, an empty array if that leaves none.
d: 1 takes a trend away, the length of a season the season. x NULL: NULL; d or times NULL: 1.
Errors: d below 1, times below 0, more than one dimension (22023), NULL (22004), NaN or infinity in x, a difference out of range (22003).';

CREATE FUNCTION activity_metrics.p_adjust(p double precision[], method text DEFAULT 'holm') RETURNS double precision[]
AS 'MODULE_PATHNAME', 'am_p_adjust_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.p_adjust(double precision[], text) IS
'The p-values adjusted for their number, each in its place; a NULL among them is no test: it stays and does not count.
method, in any case: bonferroni, holm (1979), hochberg (1988), sidak keep the chance of any false finding; bh or fdr (Benjamini and Hochberg 1995), by (Benjamini and Yekutieli 2001) the expected share of false ones among the findings. NULL for NULL.
Errors: a value outside 0 to 1, more than one dimension, unknown method with the nearest one in the hint (22023).';

CREATE FUNCTION activity_metrics.acf(x double precision[], max_lag integer DEFAULT NULL)
RETURNS TABLE (
	lag integer,
	acf double precision,
	pacf double precision,
	band95 double precision)
AS 'MODULE_PATHNAME', 'am_acf_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION activity_metrics.acf(double precision[], integer) IS
'Autocorrelation of a series, a row per lag from 0 to max_lag (NULL: 10 log10 n, at most n - 1).
acf: with the mean of the whole series and divisor n at every lag; pacf: partial, by the Durbin-Levinson recursion; band95: 1.96 / sqrt(n), where 95 % of either lie if values are independent. x NULL: no rows; NULL where x is constant.
Errors: no values, max_lag below 0 or above n - 1, more than one dimension (22023), NULL (22004), NaN or infinity in x (22003).';

CREATE FUNCTION activity_metrics.ar_fit(x double precision[], order_max integer DEFAULT NULL, method text DEFAULT 'yule-walker',
	OUT ar_order integer,
	OUT phi double precision[],
	OUT mean double precision,
	OUT var_pred double precision,
	OUT tried_up_to integer,
	OUT n bigint)
AS 'MODULE_PATHNAME', 'am_ar_fit_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.ar_fit(double precision[], integer, text) IS
'Autoregression x[t] - mean = phi[1] (x[t-1] - mean) + ... + e of the order with the smallest AIC, from 0 to order_max (NULL: 10 log10 n, at most n - 1).
method: yule-walker (or yw), always stationary; burg. var_pred: variance of e, for yule-walker times n / (n - ar_order - 1); tried_up_to: order_max. x or method NULL: NULL; a constant x: all NULL but tried_up_to and n.
Errors: no values, order_max below 0 or above n - 1, unknown method, more than one dimension (22023), NULL (22004), NaN or infinity in x (22003).';

CREATE FUNCTION activity_metrics.ccf(x double precision[], y double precision[], max_lag integer DEFAULT NULL)
RETURNS TABLE (
	lag integer,
	n bigint,
	r_n double precision,
	r_nk double precision,
	r double precision,
	low double precision,
	high double precision,
	p double precision,
	n_eff double precision,
	p_neff double precision,
	n_eff_ar1 double precision,
	p_neff_ar1 double precision)
AS 'MODULE_PATHNAME', 'am_ccf_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION activity_metrics.ccf(double precision[], double precision[], integer) IS
'Cross-correlation of two series, a row per lag from -max_lag to max_lag (NULL: a quarter of the values, at most 12); lag k > 0: x leads y by k periods.
n: pairs (x[t], y[t+k]); r_n: means and variances of the whole series, divisor n, always within -1 and 1; r_nk: r_n times n over pairs; r: Pearson of the pairs, as corr() has it, with its 95 % interval low to high by n_eff; p: two-sided t test of r as if pairs were independent, which in series they seldom are; n_eff: pairs over V, V = 1 + 2 sum (1 - j/n) rx(j) ry(j) over lags j to n/5, within 2 and n (Bartlett 1946); p_neff: t test of r with n_eff - 2 degrees of freedom; n_eff_ar1, p_neff_ar1: from the autocorrelation of lag 1 alone. NULL: not defined, as r of a constant. x or y NULL: no rows.
Errors: different lengths, no values, max_lag below 0 or above n - 1, more than one dimension (22023), NULL (22004), NaN or infinity in an array (22003).';

CREATE FUNCTION activity_metrics.prewhitened_ccf(x double precision[], y double precision[], max_lag integer DEFAULT NULL)
RETURNS TABLE (
	lag integer,
	n bigint,
	r double precision,
	low double precision,
	high double precision,
	p double precision,
	p_holm double precision,
	band95 double precision,
	ar_order integer)
AS 'MODULE_PATHNAME', 'am_prewhitened_ccf_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION activity_metrics.prewhitened_ccf(double precision[], double precision[], integer) IS
'Cross-correlation after both series went through the filter that makes x white noise (Box and Jenkins 1970), a row per lag from -max_lag to max_lag (NULL: a quarter of the values, at most 12); lag k > 0: x leads y by k periods. The test to trust for a single pair of series.
The filter is the autoregression of x of order ar_order (Yule-Walker, AIC), which costs as many values. n: pairs; r: divisor n of the filtered series; low, high: its 95 % interval; p: two-sided, t with n - 2 degrees of freedom; p_holm: adjusted over the lags (Holm 1979); band95: 1.96 / sqrt(filtered values). Take differences first where a series has a trend or a season. NULL: not defined, as with a constant. x or y NULL: no rows.
Errors: as ccf.';

CREATE FUNCTION activity_metrics.granger(x double precision[], y double precision[], lag_order integer DEFAULT 4,
	OUT n bigint,
	OUT df1 integer,
	OUT df2 integer,
	OUT f double precision,
	OUT p double precision,
	OUT chi2_wald double precision,
	OUT p_wald double precision,
	OUT chi2_ssr double precision,
	OUT p_ssr double precision,
	OUT lr double precision,
	OUT p_lr double precision,
	OUT rss_own double precision,
	OUT rss_with_x double precision)
AS 'MODULE_PATHNAME', 'am_granger_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.granger(double precision[], double precision[], integer) IS
'Does the past of x help to predict y beyond the past of y (Granger 1969)? Least squares of y on a constant and its lags 1 to lag_order (NULL: 4), without and with those lags of x; exchange x and y for the other direction.
n: rows; f on df1 and df2 degrees of freedom with p; chi2_wald, chi2_ssr, lr with p_wald, p_ssr, p_lr: the same by the Wald, residual and likelihood ratio statistics, chi-square with df1; rss_own, rss_with_x: residual sums of squares. Lag 0 and lags above lag_order are not seen. Fix lag_order beforehand: chosen by AIC on the same data, p is too small. NULL: not defined, as where the lags are linearly dependent; f is NULL with p 0 where x leaves no residuals. x or y NULL: NULL.
Errors: different lengths, no values, lag_order below 1 or above (n - 2) / 3 or 100, more than one dimension (22023), NULL (22004), NaN or infinity in an array (22003).';

CREATE FUNCTION activity_metrics.granger_orders(x double precision[], y double precision[], max_order integer DEFAULT NULL)
RETURNS TABLE (
	lag_order integer,
	n bigint,
	rss double precision,
	aic double precision,
	bic double precision,
	hq double precision,
	best_aic boolean,
	best_bic boolean,
	best_hq boolean)
AS 'MODULE_PATHNAME', 'am_granger_orders_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 7;
COMMENT ON FUNCTION activity_metrics.granger_orders(double precision[], double precision[], integer) IS
'Which lag_order for granger(x, y)? The regression of y on lags 1 to lag_order of y and x, a row per lag_order from 0 to max_order (NULL: 6, or what the values allow), all on the same n rows.
rss: residual sum of squares; aic, bic, hq: the criteria of Akaike, Schwarz, Hannan and Quinn, smaller is better; best_aic, best_bic, best_hq: the smallest from order 1 on. NULL: not defined, as where the lags are linearly dependent. x or y NULL: no rows.
Errors: as granger, for max_order.';

CREATE FUNCTION activity_metrics.forecast_gain(x double precision[], y double precision[], lag_order integer DEFAULT 4,
	OUT n bigint,
	OUT mse_own double precision,
	OUT mse_with_x double precision,
	OUT oos_gain double precision,
	OUT clark_west double precision,
	OUT p_clark_west double precision,
	OUT diebold_mariano double precision,
	OUT p_diebold_mariano double precision)
AS 'MODULE_PATHNAME', 'am_forecast_gain_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.forecast_gain(double precision[], double precision[], integer) IS
'Would x have helped to forecast y? The second half of y is forecast one period ahead, each value by least squares of all before it, from lags 1 to lag_order (NULL: 4) of y, and from those of x as well.
n: forecasts, without those for which the values before did not determine the coefficients; mse_own, mse_with_x: mean squared errors; oos_gain: 1 - mse_with_x / mse_own, 0 or less: x is of no use; clark_west with one-sided p_clark_west: is the larger model better (Clark and West 2007); diebold_mariano with two-sided p_diebold_mariano: do the errors differ (1995). NULL: not defined, as with a constant. x or y NULL: NULL.
Errors: different lengths, no values, lag_order below 1 or above a third of half the values or 100, more than one dimension (22023), NULL (22004), NaN or infinity in an array (22003).';

CREATE FUNCTION activity_metrics.partial_correlation(x double precision[], y double precision[], controls double precision[],
	OUT r double precision,
	OUT low double precision,
	OUT high double precision,
	OUT t double precision,
	OUT df integer,
	OUT p double precision,
	OUT n bigint)
AS 'MODULE_PATHNAME', 'am_partial_correlation_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION activity_metrics.partial_correlation(double precision[], double precision[], double precision[]) IS
'Correlation of what regressions on the controls leave of x and y.
controls: one array as long as x, or an array of such arrays, ARRAY[a, b]; an empty one: none. r with its 95 % interval low to high (Fisher); t on df = n - 2 - controls degrees of freedom, p two-sided. The order of values does not matter. NULL: not defined, as where the controls are linearly dependent or leave nothing of x. An argument NULL: NULL.
Errors: different lengths, no values, more than n - 3 or 100 controls, too many dimensions (22023), NULL (22004), NaN or infinity in an array (22003).';

CREATE FUNCTION activity_metrics.distributed_lag(x double precision[], y double precision[], max_lag integer DEFAULT NULL, degree integer DEFAULT NULL, bandwidth integer DEFAULT NULL)
RETURNS TABLE (
	lag integer,
	coefficient double precision,
	se double precision,
	low double precision,
	high double precision,
	p double precision,
	cumulative double precision,
	cumulative_se double precision,
	mean_lag double precision,
	rss double precision,
	df integer,
	n bigint,
	f_degree double precision,
	p_degree double precision,
	hac_se double precision,
	hac_low double precision,
	hac_high double precision,
	hac_p double precision,
	cumulative_hac_se double precision,
	hac_bandwidth integer)
AS 'MODULE_PATHNAME', 'am_distributed_lag_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 13;
COMMENT ON FUNCTION activity_metrics.distributed_lag(double precision[], double precision[], integer, integer, integer) IS
'How the effect of x spreads over the periods after it: least squares of y on a constant and x of lags 0 to max_lag (NULL: a quarter of the values, at most 12), a row per lag; lag k: x leads y by k periods.
degree: coefficients lie on a polynomial in the lag of that degree (Almon 1965), NULL: any. coefficient: of y per x, with standard error se, 95 % interval low to high and two-sided p by t with df; cumulative: sum up to the lag, with standard error cumulative_se; that of the last row is the whole effect. The same on all rows: mean_lag, the mean of lags weighted by coefficients; rss, df, n of the fit; f_degree, p_degree: test of the polynomial against any. se, low, high, p and cumulative_se take residuals as independent: where they are not, intervals are too narrow. hac_se, hac_low, hac_high, hac_p, cumulative_hac_se: the same where residuals are correlated up to bandwidth periods apart and differ in size (Newey and West 1987, times n / df); bandwidth NULL: 4 (n / 100)^(2/9), used: hac_bandwidth; 0: only of different size. NULL: not defined, as with a constant x. x or y NULL: no rows.
Errors: different lengths, no values, max_lag below 0 or above (n - 3) / 2 or 100, degree not within 0 and max_lag, bandwidth below 0 or above the rows less 1, more than one dimension (22023), NULL (22004), NaN or infinity in an array (22003).';

CREATE FUNCTION activity_metrics.dose_response(x double precision[], y double precision[])
RETURNS TABLE (
	model text,
	formula text,
	a double precision,
	b double precision,
	c double precision,
	rss double precision,
	aic double precision,
	best boolean,
	n bigint)
AS 'MODULE_PATHNAME', 'am_dose_response_sql' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 4;
COMMENT ON FUNCTION activity_metrics.dose_response(double precision[], double precision[]) IS
'Does more x still give more y? Four curves by least squares, a row each: linear, a + b x; logarithmic, a + b ln(1 + x); quadratic, a + b x + c x^2; saturating, a x / (b + x) (Michaelis and Menten 1913): a is the most there is to get, b the x that gives half of it.
rss: residual sum of squares; aic: n ln(rss / n) + 2 parameters, smaller is better; best: the smallest. The order of values does not matter. NULL: not defined: fewer values than parameters and one, too few different x, x not above -1 (logarithmic) or below 0 (saturating), data without a bend to saturate; aic also where the curve leaves nothing. x or y NULL: no rows.
Errors: different lengths, no values, more than one dimension (22023), NULL (22004), NaN or infinity in an array (22003).';
