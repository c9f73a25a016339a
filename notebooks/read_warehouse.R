# Reads the warehouse from R, over HTTP: base R and jsonlite, nothing else.
#
#   Rscript read_warehouse.R [PLOT.png]
#
# GONGKAI_URL is the address of a running `gongkai up`; default http://127.0.0.1:8080.
# Prints one line of JSON with what was read; draws a chart where the name of a file is given, with the font of
# GONGKAI_FONT, which has to have Chinese characters; default WenQuanYi Zen Hei.

library(jsonlite)

url <- Sys.getenv("GONGKAI_URL", "http://127.0.0.1:8080")

ask_address <- function(sql, format) {
  paste0(url, "/api/v1/sql?format=", format, "&q=", URLencode(sql, reserved = TRUE))
}

# Small answers, with the releases they come from. Decimals arrive as text: R has no decimal type, so that the
# conversion to numbers is seen where it is made.
ask <- function(sql) {
  answer <- fromJSON(ask_address(sql, "json"), simplifyVector = FALSE)
  if (isTRUE(answer$truncated)) stop("the answer was cut; ask for less, or download the dataset")
  names <- vapply(answer$columns, function(column) column$name, "")
  values <- lapply(seq_along(names), function(at) {
    vapply(answer$rows, function(row) if (is.null(row[[at]])) NA_character_ else as.character(row[[at]]), "")
  })
  list(
    rows = as.data.frame(setNames(values, names)),
    releases = vapply(answer$releases, function(release) paste0(release$dataset, ".", release$number), ""),
    digest = answer$digest
  )
}

question <- "
  SELECT as_of_year, measure, amount_yuan, release_id
  FROM \"debt_stock@debt_limit_balance_final\" d
  JOIN catalog.release r USING (release_id)
  WHERE region_code = '510400' AND scope = 'area' AND debt_kind = 'total' AND NOT r.is_synthetic
  ORDER BY as_of_year, measure"
debt <- ask(question)$rows

# The same as CSV, with base R alone. Codes are texts, or leading zeros are lost.
csv <- read.csv(ask_address(question, "csv"), colClasses = "character", na.strings = "", encoding = "UTF-8")
stopifnot(identical(unname(as.matrix(debt)), unname(as.matrix(csv))))

terms <- ask("
  SELECT d.title_zh, l.label_zh AS licence_zh FROM catalog.dataset d
  JOIN ref.licence l USING (licence) WHERE d.dataset = 'debt_limit_balance_final'")$rows

debt$yi <- as.numeric(debt$amount_yuan) / 1e8
wide <- reshape(debt[c("as_of_year", "measure", "yi")], idvar = "as_of_year", timevar = "measure", direction = "wide")
wide$used_pct <- round(wide$yi.balance / wide$yi.limit * 100, 1)

plot_to <- commandArgs(trailingOnly = TRUE)
if (length(plot_to) == 1) {
  font <- Sys.getenv("GONGKAI_FONT", "WenQuanYi Zen Hei")
  if (!any(grepl(font, system2("fc-list", stdout = TRUE), fixed = TRUE))) {
    stop("no Chinese font is installed: ", font, " is not there; name another as GONGKAI_FONT")
  }
  png(plot_to, width = 1400, height = 700, res = 130, type = "cairo", family = font)
  par(mar = c(5.5, 4, 3, 1), mgp = c(2.4, 0.7, 0), las = 1, font.main = 1)
  barplot(
    t(as.matrix(wide[c("yi.limit", "yi.balance")])), beside = TRUE, names.arg = paste0(wide$as_of_year, "年末"),
    col = c("#c9d6e8", "#1f4e8c"), border = NA, ylab = "亿元", legend.text = c("限额", "余额"),
    args.legend = list(x = "topleft", bty = "n", horiz = TRUE), ylim = c(0, max(wide$yi.limit) * 1.2),
    main = "攀枝花市政府债务限额与余额（已公布的年份）"
  )
  source <- paste0("来源：", terms$title_zh, "（", paste(unique(debt$release_id), collapse = "、"), "）\n", terms$licence_zh)
  mtext(source, side = 1, line = 4, adj = 0, cex = 0.75)
  invisible(dev.off())
}

cat(toJSON(list(rows = debt[c("as_of_year", "measure", "amount_yuan", "release_id")], used_pct = wide$used_pct, terms = terms)), "\n")
