"""What functions and operators say about the types of their arguments and of their result."""

from __future__ import annotations

from sqlglot import exp

# Their first column argument is text.
TEXT_ARGUMENTS = (
    exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Concat, exp.ConcatWs, exp.Like, exp.ILike,
    exp.RegexpLike, exp.RegexpExtract, exp.RegexpReplace, exp.Split, exp.Initcap, exp.Length, exp.StartsWith,
    exp.Replace, exp.Left, exp.Right, exp.StrPosition, exp.DPipe, exp.RegexpILike, exp.EndsWith,
    exp.StrToDate, exp.StrToTime, exp.ParseJSON, exp.MD5, exp.SHA2, exp.Pad, exp.SimilarTo, exp.Reverse,
    exp.SplitPart,
)  # fmt: skip
TEXT_RESULTS = (
    exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Concat, exp.ConcatWs, exp.RegexpExtract,
    exp.RegexpReplace, exp.Initcap, exp.Replace, exp.Left, exp.Right, exp.DPipe, exp.GroupConcat,
    exp.TimeToStr, exp.MD5, exp.SHA2, exp.Pad, exp.Reverse, exp.SplitPart, exp.JSONExtractScalar,
)  # fmt: skip
DAY_ARGUMENTS = (exp.DateAdd, exp.DateSub, exp.DateTrunc, exp.LastDay, exp.TsOrDsAdd)
DAY_DIFFERENCES = (exp.DateDiff, exp.TsOrDsDiff)
MOMENT_ARGUMENTS = (
    exp.TimestampAdd, exp.TimestampSub, exp.TimestampTrunc, exp.TimestampDiff, exp.DatetimeAdd,
    exp.DatetimeSub, exp.DatetimeTrunc, exp.DatetimeDiff, exp.TimeToStr,
)  # fmt: skip
NUMBER_ARGUMENTS = (
    exp.Sum, exp.Avg, exp.Abs, exp.Round, exp.Ceil, exp.Floor, exp.Sqrt, exp.Pow, exp.Ln, exp.Log, exp.Exp,
    exp.Sign, exp.Stddev, exp.StddevSamp, exp.StddevPop, exp.Variance, exp.VariancePop, exp.SafeDivide,
    exp.Quantile, exp.PercentileCont, exp.ApproxQuantile, exp.Mod, exp.IntDiv,
)  # fmt: skip
SAME_TYPE = (
    exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif, exp.Max, exp.Min, exp.AnyValue, exp.First, exp.Last,
    exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.IgnoreNulls, exp.RespectNulls, exp.Distinct,
    exp.ArgMax, exp.ArgMin, exp.Paren, exp.Filter, exp.WithinGroup, exp.Order, exp.Ordered, exp.HavingMax,
)  # fmt: skip
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
COUNTS = (
    exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.CountIf, exp.Length, exp.TimestampDiff,
    exp.DatetimeDiff, exp.Extract, exp.ApproxDistinct, exp.ArraySize, exp.StrPosition, exp.Year, exp.Month,
    exp.Day,
)  # fmt: skip
DAYS = (exp.CurrentDate, exp.Date, exp.TsOrDsToDate, exp.StrToDate)
MOMENTS = (exp.CurrentTimestamp, exp.Timestamp, exp.StrToTime)
