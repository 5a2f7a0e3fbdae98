package a;

@Entity
@Table(name = "prod.core.users_v1")
class User {}
