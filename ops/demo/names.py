"""Names and addresses of invented people, combined by chance."""

FIRST_NAMES = (
    "Aaron", "Abigail", "Adam", "Alicia", "Amanda", "Amir", "Andre", "Angela", "Anita", "Antonio", "Ashley",
    "Barbara", "Ben", "Bianca", "Brandon", "Brenda", "Brian", "Carla", "Carlos", "Carmen", "Chloe", "Chris", "Claire",
    "Curtis", "Dana", "Daniel", "Darnell", "Deborah", "Dennis", "Derek", "Diana", "Diego", "Elena", "Eli", "Emily",
    "Eric", "Fatima", "Felix", "Frank", "Gabriela", "George", "Gloria", "Grace", "Gregory", "Hannah", "Hector",
    "Helen", "Henry", "Ian", "Imani", "Isaac", "Ivan", "Jack", "Jamal", "Janet", "Jasmine", "Joel", "José", "Joyce",
    "Julia", "Karen", "Keisha", "Kevin", "Kim", "Larry", "Laura", "Leah", "Leon", "Linda", "Lucia", "Luis", "Marcus",
    "Maria", "Mark", "Megan", "Miguel", "Monica", "Nadia", "Nathan", "Nina", "Noah", "Olivia", "Omar", "Oscar",
    "Patrick", "Paula", "Peter", "Priya", "Rachel", "Raj", "Ramona", "Ray", "Renee", "Robert", "Rosa", "Ruth",
    "Samuel", "Sandra", "Scott", "Sofia", "Stephen", "Susan", "Tamara", "Teresa", "Theo", "Tiffany", "Todd", "Tom",
    "Trevor", "Valerie", "Victor", "Vivian", "Walter", "Wendy", "Will", "Yolanda", "Yusuf", "Zoe",
)  # fmt: skip

LAST_NAMES = (
    "Adams", "Ali", "Allen", "Alvarez", "Anderson", "Bailey", "Baker", "Barnes", "Bennett", "Brooks", "Brown",
    "Bryant", "Butler", "Campbell", "Carter", "Castillo", "Chang", "Chavez", "Chen", "Clark", "Coleman", "Collins",
    "Cook", "Cooper", "Cox", "Cruz", "Davis", "Diaz", "Edwards", "Ellis", "Evans", "Fisher", "Flores", "Ford",
    "Foster", "Garcia", "Gibson", "Gomez", "Gonzalez", "Graham", "Grant", "Gray", "Green", "Griffin", "Gupta", "Hall",
    "Hamilton", "Harris", "Hayes", "Henderson", "Hernandez", "Hill", "Howard", "Hughes", "Ibrahim", "Jackson",
    "James", "Jenkins", "Johnson", "Jones", "Jordan", "Kelly", "Kennedy", "Khan", "Kim", "King", "Kowalski", "Lee",
    "Lewis", "Long", "Lopez", "Marshall", "Martin", "Mason", "McDonald", "Mendoza", "Miller", "Mitchell", "Moore",
    "Morales", "Morgan", "Morris", "Murphy", "Myers", "Nelson", "Nguyen", "O'Brien", "Olson", "Ortiz", "Owens",
    "Park", "Parker", "Patel", "Perez", "Perry", "Peterson", "Phillips", "Powell", "Price", "Ramirez", "Reed",
    "Reyes", "Reynolds", "Rivera", "Roberts", "Robinson", "Rodriguez", "Rogers", "Ross", "Ruiz", "Russell", "Sanchez",
    "Sanders", "Schmidt", "Scott", "Shah", "Simmons", "Singh", "Smith", "Stewart", "Sullivan", "Taylor", "Thomas",
    "Thompson", "Torres", "Tran", "Turner", "Vasquez", "Wagner", "Walker", "Wallace", "Ward", "Washington", "Watson",
    "West", "White", "Williams", "Wilson", "Wood", "Wright", "Young",
)  # fmt: skip

STREETS = (
    "Alder St", "Ash Ave", "Aspen Way", "Birch Ln", "Briar Ct", "Canyon Rd", "Cedar St", "Cherry Ln", "Church St",
    "Clover Dr", "Dogwood Dr", "Elm St", "Fairview Ave", "Forest Ave", "Franklin St", "Garden Ct", "Grove St",
    "Hickory Ln", "Highland Ave", "Hill St", "Holly Dr", "Hunter Rd", "Jefferson Ave", "Juniper Way", "Lake St",
    "Laurel Ln", "Lincoln Ave", "Linden Ave", "Locust St", "Madison Ave", "Magnolia Dr", "Main St", "Maple Ave",
    "Meadow Ln", "Mill Rd", "Oak St", "Orchard Rd", "Park Ave", "Pine St", "Poplar Ave", "Prospect St", "Quail Run",
    "Ridge Rd", "River Rd", "Spring St", "Spruce St", "Sunset Blvd", "Sycamore St", "Valley Rd", "Walnut St",
    "Willow Way", "Windsor Dr",
)  # fmt: skip

MAIL_HOSTS = ("example.com", "example.net", "example.org")  # reserved domains: no mail is delivered
