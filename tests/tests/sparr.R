# What R says of pbc, the cases of primary biliary cirrhosis and their controls that the package sparr brings along:
# first sparr's own answers, then sums written down in base R. Each line is a name and its numbers.
suppressPackageStartupMessages(library(sparr))
data(pbc)
say <- function(name, ...) cat(name, sprintf("%.17g", c(...)), "\n")
two <- split(pbc)
f <- two$case
g <- two$control
W <- Window(pbc)
say("x", pbc$x)
say("y", pbc$y)
say("case", marks(pbc) == "case")
say("window_x", W$bdry[[1]]$x)
say("window_y", W$bdry[[1]]$y)

# Bandwidths of sparr: its own scaler is the least of two means, "var" the root of the mean variance.
say("os_cases", OS(f))
say("ns_cases", NS(f))
say("os_cases_var", OS(f, scaler = "var"))
say("os_pooled_var", OS(pbc, scaler = "var"))

# Surfaces of sparr, on 128 x 128 pixels; row by row from the south.
row_by_row <- function(image) as.vector(t(as.matrix(image)))
fixed <- risk(f, g, h0 = 5, verbose = FALSE)
pool <- bivariate.density(unmark(pbc), h0 = 5, verbose = FALSE)
say("sparr_fixed", row_by_row(fixed$rr))
say("sparr_fixed_p", row_by_row(tolerance(fixed, ref.density = pool, verbose = FALSE)))
own <- bivariate.density(f, h0 = 5, hp = 4, adapt = TRUE, verbose = FALSE)
say("sparr_adaptive_cases", row_by_row(own$z))
say("sparr_adaptive_h", range(own$h))
say("sparr_adaptive_gamma", own$gamma)
# Without edge correction, its density is the exact sum of its own bandwidths.
bare <- bivariate.density(f, h0 = 5, hp = 4, adapt = TRUE, edge = "none", intensity = TRUE, resolution = 40, verbose = FALSE)
say("sparr_bare", row_by_row(bare$z))
say("sparr_bare_h", bare$h)
both <- risk(f, g, h0 = 5, hp = 4, adapt = TRUE, pilot.symmetry = "pooled", verbose = FALSE)
say("sparr_adaptive", row_by_row(both$rr))
say("sparr_adaptive_both", range(both$f$h), both$f$gamma)

# The definition, on 40 x 40 cells, with a Gaussian that is cut at eight deviations.
cells <- 40
frame <- W$xrange
u <- frame[1] + (seq_len(cells) - 0.5) * diff(frame) / cells
frame <- W$yrange
v <- frame[1] + (seq_len(cells) - 0.5) * diff(frame) / cells
at <- expand.grid(x = u, y = v)
at <- at[inside.owin(at$x, at$y, W), ]
area <- (u[2] - u[1]) * (v[2] - v[1])
k <- function(x, y, px, py, h) {
  d2 <- ((px - x)^2 + (py - y)^2) / h^2
  ifelse(d2 <= 64, exp(-d2 / 2) / (2 * pi * h^2), 0)
}
# The integral over the study area, on its cells.
mass <- function(x, y, h, power = 1, counts = 1) {
  mapply(function(x, y, h) sum((counts * k(x, y, at$x, at$y, h))^power) * area, x, y, h)
}
is_case <- marks(pbc) == "case"
n <- c(sum(is_case), sum(!is_case))
definition <- function(name, edge, adaptive) {
  h <- rep(5, npoints(pbc))
  own <- rep(5, nrow(at))
  if (adaptive) {
    shared <- if (edge == "jones-diggle") 1 / mass(pbc$x, pbc$y, rep(4, npoints(pbc))) else 1
    pilot <- function(x, y) {
      sums <- mapply(function(x, y) sum(shared * k(x, y, pbc$x, pbc$y, 4)), x, y)
      if (edge == "uniform") sums / mass(x, y, rep(4, length(x))) else sums
    }
    there <- pilot(pbc$x, pbc$y)
    gamma <- exp(mean(log(there^-0.5)))
    h <- 5 * pmin(there^-0.5 / gamma, 5)
    own <- 5 * pmin(pilot(at$x, at$y)^-0.5 / gamma, 5)
    say(paste0(name, "_h"), range(h))
  }
  shared <- if (edge == "jones-diggle") 1 / mass(pbc$x, pbc$y, h) else rep(1, npoints(pbc))
  density <- function(taken) {
    sums <- mapply(function(x, y) sum((shared * k(x, y, pbc$x, pbc$y, h))[taken]), at$x, at$y)
    if (edge == "uniform") sums / mass(at$x, at$y, own) else sums
  }
  cases <- density(is_case)
  controls <- density(!is_case)
  ratio <- log(cases / sum(cases)) - log(controls / sum(controls))
  # Where every place v counts c(v) times.
  c <- if (edge == "jones-diggle") 1 / mass(at$x, at$y, own) else 1
  mean <- mass(at$x, at$y, own, 1, c)
  square <- mass(at$x, at$y, own, 2, c)
  sums <- mapply(function(x, y) sum(shared * k(x, y, pbc$x, pbc$y, h)), at$x, at$y)
  even <- sums / mean
  even <- even / (sum(even) * area)
  say(name, ratio)
  say(paste0(name, "_z"), ratio / sqrt(square / mean^2 / even * sum(1 / n)))
}
for (edge in c("none", "uniform", "jones-diggle")) {
  definition(paste0("fixed_", edge), edge, FALSE)
  definition(paste0("abramson_", edge), edge, TRUE)
}
