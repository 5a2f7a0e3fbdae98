// A stand-in with the shape of Scio's BigQuery API, where Scio itself cannot be had: macro annotations that make
// case classes of schemas, which are looked up by the annotation's text in `-Dschemas`, and calls that read.
package com.spotify.scio {

  class SCollection[T] {
    def map[U](f: T => U): SCollection[U] = new SCollection[U]
  }

  class ScioContext

  package bigquery {
    sealed trait Source
    final case class Query(underlying: String) extends Source
    sealed trait Table extends Source
    object Table {
      final case class Spec(spec: String) extends Table
    }

    package types {
      import scala.annotation.StaticAnnotation
      import scala.language.experimental.macros
      import scala.reflect.macros.whitebox

      trait HasAnnotation

      object BigQueryType {
        class fromTable(tableSpec: String, args: String*) extends StaticAnnotation {
          def macroTransform(annottees: Any*): Any = macro Expand.table
        }
        class fromQuery(query: String, args: Any*) extends StaticAnnotation {
          def macroTransform(annottees: Any*): Any = macro Expand.query
        }
      }

      object Expand {
        def table(c: whitebox.Context)(annottees: c.Expr[Any]*): c.Expr[Any] = expand(c)(annottees, "table")
        def query(c: whitebox.Context)(annottees: c.Expr[Any]*): c.Expr[Any] = expand(c)(annottees, "queryRaw")

        // Lines of `hash name type`; a query's fields are all Options.
        private def expand(c: whitebox.Context)(annottees: Seq[c.Expr[Any]], member: String): c.Expr[Any] = {
          import c.universe._
          val text = c.macroApplication match {
            case Apply(Select(Apply(_, Literal(Constant(s: String)) :: _), _), _) => s
            case Apply(Select(Apply(_, Select(Literal(Constant(s: String)), TermName("stripMargin")) :: _), _), _) =>
              s.stripMargin
            case other => c.abort(c.enclosingPosition, s"no literal: $other")
          }
          val source = scala.io.Source.fromFile(sys.props("schemas"))
          val lines = try source.getLines().toList finally source.close()
          val fields = lines.map(_.split(" ")).collect {
            case Array(hash, name, kind) if hash == text.hashCode.toString =>
              q"val ${TermName(name)}: Option[${TypeName(kind)}]"
          }
          if (fields.isEmpty) c.abort(c.enclosingPosition, s"no schema of ${text.hashCode}: $text")
          annottees.map(_.tree) match {
            case (q"class $name") :: Nil =>
              c.Expr[Any](q"""
                case class $name(..$fields) extends _root_.com.spotify.scio.bigquery.types.HasAnnotation
                object ${TermName(name.toString)} { val ${TermName(member)}: String = $text }
              """)
            case other => c.abort(c.enclosingPosition, s"no class: $other")
          }
        }
      }
    }
  }

  package object bigquery {
    type TableRow = java.util.Map[String, AnyRef]

    implicit class ScioContextOps(private val self: ScioContext) {
      def typedBigQuery[T <: types.HasAnnotation](): SCollection[T] = new SCollection[T]
      def typedBigQuery[T <: types.HasAnnotation](source: Source): SCollection[T] = new SCollection[T]
      def bigQuerySelect(query: Query): SCollection[TableRow] = new SCollection[TableRow]
      def bigQueryTable(table: Table): SCollection[TableRow] = new SCollection[TableRow]
      def bigQueryStorage(query: Query): SCollection[TableRow] = new SCollection[TableRow]
      def bigQueryStorage(
          table: Table,
          selectedFields: List[String] = Nil,
          rowRestriction: String = null
      ): SCollection[TableRow] = new SCollection[TableRow]
    }
  }
}
